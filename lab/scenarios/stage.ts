import { readFile } from 'node:fs/promises';
import type { ControlPlane } from '../control-plane.ts';
import type { Cluster } from '../kubevirt/cluster.ts';
import type { BindingsWatch } from '../observe/bindings.ts';
import type { TestbedDescription, VmDescription } from '../testbed/description.ts';
import { eventually } from './eventually.ts';
import { StageVm } from './stage-vm.ts';

/** What a scenario works with. */
export class Stage {
  readonly testbed: TestbedDescription;
  readonly cluster: Cluster;
  readonly events: ControlPlane['events'];
  readonly vms: readonly StageVm[];
  readonly #journal: string;
  readonly #meet: (meeting: string) => Promise<void>;

  constructor(options: {
    readonly testbed: TestbedDescription;
    readonly controlPlane: ControlPlane;
    readonly bindings: BindingsWatch;
    readonly vms: readonly VmDescription[];
    readonly meet: (meeting: string) => Promise<void>;
  }) {
    const { testbed, controlPlane, bindings, vms, meet } = options;
    this.testbed = testbed;
    this.cluster = controlPlane.cluster;
    this.events = controlPlane.events;
    this.vms = vms.map((vm) => new StageVm(vm, testbed, controlPlane.cluster, bindings));
    this.#journal = controlPlane.logs.knative;
    this.#meet = meet;
  }

  /** The scenario's first VM, which for most is the only one. */
  get vm(): StageVm {
    return this.vms[0]!;
  }

  /** Waits for all other scenarios of the act, and for what then happens to all. */
  async meet(meeting: string): Promise<void> {
    await this.#meet(meeting);
  }

  /** Waits until each of these functions has answered an event about an object, well or badly. */
  async answered(
    { name, status }: { name: string; status: (code: number) => boolean },
    ...functions: readonly string[]
  ): Promise<void> {
    await eventually(`${functions.join(', ')} answer an event about ${name}`, async () => {
      const lines = (await readFile(this.#journal, 'utf8')).split('\n').filter((line) => line.includes(`/${name}"`));
      const deliveries = lines.map((line) => JSON.parse(line)).filter(({ kind }) => kind === 'delivery');
      return functions.every((one) => deliveries.some((line) => line.function === one && status(line.status)));
    });
  }
}
