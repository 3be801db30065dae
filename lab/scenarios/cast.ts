import { describeVm, type VmDescription } from '../testbed/description.ts';
import type { Act, Scenario } from './scenario.ts';

/** The VMs of each scenario. */
export type Cast = ReadonlyMap<Scenario, readonly VmDescription[]>;

/** Gives each scenario VMs of its own: `vm01`, `vm02`, …, of one name in different namespaces where it has several. */
export function castOf(acts: readonly Act[]): Cast {
  const scenarios = acts.flatMap((act) => act.scenarios);
  let index = 0;
  return new Map(
    scenarios.map((scenario, number) => {
      const name = `vm${String(number + 1).padStart(2, '0')}`;
      const vms = (scenario.vms ?? [{}]).map(({ nics = 1, namespace = 'prod' }) =>
        describeVm({ name, namespace, nics, index: index++ }),
      );
      return [scenario, vms];
    }),
  );
}
