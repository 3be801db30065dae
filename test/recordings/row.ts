import { desired } from '../../handover/decision/desired.ts';
import { factsOf } from '../../handover/decision/facts.ts';
import type { Pod, VirtualMachineInstance, VirtualMachineInstanceMigration } from '../../handover/decision/kubevirt.ts';
import {
  ACTIVATION_STRATEGY,
  changeFor,
  OPTION_KEYS,
  type Port,
  REQUESTED_CHASSIS,
} from '../../handover/decision/port.ts';
import { recordOf } from '../../handover/decision/record.ts';
import type { KubernetesObject } from '../../lab/kubevirt/objects.ts';
import { isMigration, type RecordedEvent } from './recording.ts';

export type Options = Readonly<Record<string, string>>;

const CHASSIS = new Map(['node1', 'node2'].map((node) => [node, node.replace('node', 'chassis-')]));
/** What somebody else has set. */
export const THEIRS: Options = { mcast_flood: 'true' };

/** A VM's port in both databases and its VM in Kubernetes, as far as a decision reads and writes them. */
export class ModelRow {
  /** How it was bound over time, without repetition. */
  readonly story: string[] = ['unbound'];
  readonly #objects = new Map<string, KubernetesObject>();
  #options: Options = THEIRS;
  #activated: readonly string[] = [];

  see({ type, object }: RecordedEvent): void {
    if (type === 'DELETED') this.#objects.delete(object.metadata.uid);
    else this.#objects.set(object.metadata.uid, object);
  }

  /** Decides until nothing is left to do. @param now ms since the epoch */
  look(now: number): void {
    for (let writes = 0; writes < 5; writes++) {
      const wanted = desired(factsOf(this.#facts(), now), recordOf(this.#options));
      const port: Port = { uuid: 'row', name: 'vm1.default', addresses: [], options: this.#options, externalIds: {} };
      const setup = { chassis: CHASSIS, activationStrategy: 'rarp', activated: this.#activated, now: new Date(now) };
      const change = changeFor(port, wanted, setup);
      if (change === undefined) return;
      this.write(change.options);
    }
    throw new Error(`It does not come to rest: ${this.story.join(' → ')}`);
  }

  /** Ours are replaced, those of others stay. */
  write(ours: Options): void {
    const others = Object.entries(this.#options).filter(([key]) => !OPTION_KEYS.includes(key));
    this.replace({ ...Object.fromEntries(others), ...ours });
  }

  /** As one does who writes the whole column. */
  replace(options: Options): void {
    this.#options = options;
    // northd forgets the activation while no additional chassis is requested.
    if (!options[REQUESTED_CHASSIS]?.includes(',')) this.#activated = [];
    if (this.story.at(-1) !== this.binding) this.story.push(this.binding);
  }

  /** The guest announces itself on the target. */
  announce(): void {
    const [, target] = this.#options[REQUESTED_CHASSIS]?.split(',') ?? [];
    if (target !== undefined && this.#options[ACTIVATION_STRATEGY] === 'rarp') this.#activated = [target];
  }

  get options(): Options {
    return this.#options;
  }

  /** `unbound`, `pinned 1`, `dual 1,2`, or `open 1,2` where nothing holds the target closed. */
  get binding(): string {
    const requested = this.#options[REQUESTED_CHASSIS]?.replaceAll('chassis-', '');
    if (requested === undefined) return 'unbound';
    if (!requested.includes(',')) return `pinned ${requested}`;
    return `${this.#options[ACTIVATION_STRATEGY] === 'rarp' ? 'dual' : 'open'} ${requested}`;
  }

  #facts() {
    const all = [...this.#objects.values()];
    const ofKind = (kind: string) => all.filter((object) => object.kind === kind) as unknown[];
    return {
      migrations: all.filter(isMigration) as unknown as VirtualMachineInstanceMigration[],
      vmi: ofKind('VirtualMachineInstance')[0] as VirtualMachineInstance | undefined,
      pods: ofKind('Pod') as Pod[],
    };
  }
}
