import type { CoveragePoint } from './coverage.ts';
import type { KubeOvnWrite } from './model/kube-ovn.ts';
import type { Port } from './model/northbound.ts';
import type { Southbound } from './model/southbound.ts';
import type { Vm } from './model/vm.ts';

interface Write {
  readonly vm: Vm;
  readonly port: Port;
  readonly write: KubeOvnWrite;
  readonly before: Port['options'];
  readonly southbound: Southbound;
}

/** What a neighbour's write came across. */
export function coverWrite(
  { vm, port, write, before, southbound }: Write,
  cover: (point: CoveragePoint) => void,
): void {
  const isMeanwhile = vm.now.migration !== undefined;
  const meanwhile = (point: CoveragePoint & `neighbour ${string}`) => {
    cover(point);
    if (isMeanwhile) cover(`${point} meanwhile` as CoveragePoint);
  };
  if (write === 'wipe') {
    meanwhile('neighbour wipes external_ids');
    return;
  }
  const requested = before['requested-chassis'];
  const isStripped = requested !== undefined && port.options['requested-chassis'] === undefined;
  const isUndone = ourEntries(before) !== ourEntries(port.options);
  if (isUndone) meanwhile('neighbour undoes a write of ours');
  if (isUndone && ourEntries(before) === '') cover('neighbour undoes a release');
  if (write !== 'strip' || !isStripped) return;
  meanwhile('neighbour strips the binding');
  if (requested.includes(',')) cover('neighbour strips a dual binding');
  if (southbound.bindingOf(port).activated.length > 0) cover('neighbour strips after the RARP');
}

/** Beside what a strip takes off. */
function ourEntries(options: Port['options']): string {
  const entries = Object.entries(options).filter(([key]) => key.startsWith('handover-'));
  return entries
    .map((entry) => entry.join('='))
    .sort()
    .join();
}
