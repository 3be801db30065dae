import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { binary } from '../../../lab/cluster/binaries.ts';
import { fabricOf } from '../../../lab/cluster/description.ts';
import { eventually } from '../../../lab/cluster/eventually.ts';
import { Lines } from '../../../lab/cluster/lines.ts';
import { MIGRATION_JOB_UID } from '../../../lab/kubevirt/labels.ts';
import { migration } from '../../../lab/kubevirt/manifests.ts';
import type { VirtualMachineInstanceMigration } from '../../../lab/kubevirt/objects.ts';
import { InterfaceWatch } from '../../../lab/migrate/interface-watch.ts';
import type { InterfaceResult } from '../../../lab/migrate/result.ts';
import type { VmDescription } from '../../../lab/testbed/description.ts';
import type { UsedCluster } from './nodes.ts';

const PHASE_WITHIN_MS = 120_000;
const LOOK_EVERY_MS = 20;
/** For as long nothing may change any more before it counts as the end. */
const QUIET_MS = 3_000;

/** How a migration ended. */
export interface Ending {
  readonly phase: string;
  readonly node: string;
  /** From when it was asked for until claim and binding were right, and stayed so. */
  readonly rightAfterMs: number;
  readonly seen: InterfaceResult;
}

/** A migration that a test disturbs in its middle, with what the client and OVN see of its VM meanwhile. */
export class WatchedMigration implements AsyncDisposable {
  readonly name: string;
  readonly uid: string;
  /** The node that the VM was on. */
  readonly from: string;
  /** The uid of its VMI. */
  readonly vmi: string;
  readonly #used: UsedCluster;
  readonly #vm: VmDescription;
  readonly #watch: InterfaceWatch;
  readonly #phases: Phases;
  /** What `atMs` of all that is seen counts from, ms since the epoch. */
  readonly startedAt = Date.now();
  #isStopped = false;

  /** Resolves when the migration has been created. */
  static async start(used: UsedCluster, vm: VmDescription): Promise<WatchedMigration> {
    const phases = new Phases(used);
    const watch = await InterfaceWatch.start(used.cluster.testbed, vm.interfaces[0]);
    await sleep(1_000);
    const { metadata, status } = JSON.parse(
      await used.kubectl('-n', vm.namespace, 'get', 'vmi', vm.name, '-o', 'json'),
    );
    const source = { node: status.nodeName, vmi: metadata.uid };
    const file = join(used.folder, `${vm.name}-vmim.json`);
    await writeFile(file, JSON.stringify(migration({ vmiName: vm.name, namespace: vm.namespace })));
    const created = JSON.parse(await used.kubectl('-n', vm.namespace, 'create', '-f', file, '-o', 'json'));
    return new WatchedMigration(used, vm, watch, phases, source, created);
  }

  private constructor(
    used: UsedCluster,
    vm: VmDescription,
    watch: InterfaceWatch,
    phases: Phases,
    source: { readonly node: string; readonly vmi: string },
    { metadata }: VirtualMachineInstanceMigration,
  ) {
    this.#used = used;
    this.#vm = vm;
    this.#watch = watch;
    this.#phases = phases;
    this.from = source.node;
    this.vmi = source.vmi;
    this.name = metadata.name;
    this.uid = metadata.uid;
  }

  /** Resolves when it is in a phase, or past all. */
  async reached(phase: string, withinMs = PHASE_WITHIN_MS): Promise<void> {
    const giveUpAt = Date.now() + withinMs;
    while (!this.#phases.of(this.name).some((seen) => seen === phase || isFinal(seen))) {
      if (Date.now() > giveUpAt)
        throw new Error(`${this.name} has been ${this.#phases.of(this.name)}, and not ${phase}.`);
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** The name of its target pod; resolves when there is one. */
  async target(): Promise<string> {
    let name = '';
    const named = ['-l', `${MIGRATION_JOB_UID}=${this.uid}`, '-o', 'jsonpath={.items[*].metadata.name}'];
    await eventually('there is a target pod', PHASE_WITHIN_MS, async () => {
      name = await this.#used.kubectl('-n', this.#vm.namespace, 'get', 'pods', ...named);
      return name !== '' || 'none';
    });
    return name;
  }

  async cancel(): Promise<void> {
    await this.#used.kubectl('-n', this.#vm.namespace, 'delete', 'vmim', this.name, '--wait=false');
  }

  /** Up to now, as the client sees it. */
  pings(): { readonly lost: number; readonly silenceMs: number } {
    return this.#watch.pings(this.startedAt);
  }

  /**
   * Resolves when the migration is over, and the port is claimed by the node of the guest alone and bound to no other.
   *
   * @throws Error with what is wrong when it is not so in time
   */
  async endsRight(withinMs: number): Promise<Ending> {
    const { testbed } = this.#used.cluster;
    const asked = Date.now();
    let rightSince: number | undefined;
    await eventually(`${this.name} ends right`, withinMs + QUIET_MS, async () => {
      const wrong = await this.#whatIsWrong();
      rightSince = wrong === undefined ? (rightSince ?? Date.now()) : undefined;
      if (rightSince !== undefined && Date.now() - rightSince >= QUIET_MS) return true;
      return wrong ?? 'right, but not for long enough';
    });
    const node = await nodeOf(this.#used, this.#vm);
    const target = testbed.chassis.find((chassis) => chassis.node !== this.from)!.name;
    this.#isStopped = true;
    const span = { from: this.startedAt, to: Date.now() };
    const seen = await this.#watch.result({ span, switchedAt: undefined, target });
    const phase = this.#phases.of(this.name).at(-1)!;
    return { phase, node, rightAfterMs: rightSince! - asked, seen };
  }

  async #whatIsWrong(): Promise<string | undefined> {
    const phase = this.#phases.of(this.name).at(-1) ?? 'unknown';
    if (!isFinal(phase)) return `the migration is ${phase}`;
    const node = await nodeOf(this.#used, this.#vm);
    const chassis = this.#used.cluster.testbed.chassis.find((one) => one.node === node)!.name;
    const { wanted, claimed } = this.#watch.bindings;
    const { chassis: claim, additionalChassis = [] } = claimed.last ?? {};
    if (claim !== chassis || additionalChassis.length > 0) {
      return `the guest is on ${chassis}, claimed by ${[claim, ...additionalChassis]}`;
    }
    const { requestedChassis = chassis } = wanted.last ?? {};
    return requestedChassis === chassis ? undefined : `the guest is on ${chassis}, bound to ${requestedChassis}`;
  }

  /** Takes away the pods of the VM that have ended, as an operator may: its port comes to rest with that. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#phases[Symbol.asyncDispose]();
    const { namespace, name } = this.#vm;
    const ended = ['--field-selector', 'status.phase!=Running,status.phase!=Pending'];
    await this.#used.kubectl('-n', namespace, 'delete', 'pods', '-l', `vm.kubevirt.io/name=${name}`, ...ended);
    if (this.#isStopped) return;
    this.#isStopped = true;
    const now = Date.now();
    await this.#watch.result({ span: { from: now, to: now }, switchedAt: undefined, target: '' });
  }
}

/** The node where KubeVirt says that a VM runs. */
export async function nodeOf({ kubectl }: UsedCluster, { namespace, name }: VmDescription): Promise<string> {
  return kubectl('-n', namespace, 'get', 'vmi', name, '-o', 'jsonpath={.status.nodeName}');
}

function isFinal(phase: string): boolean {
  return ['Succeeded', 'Failed', 'gone'].includes(phase);
}

/** The phases of all migrations, as the API server shows them. */
class Phases implements AsyncDisposable {
  readonly #lines: Lines;
  readonly #seen = new Map<string, string[]>();

  constructor({ cluster: { testbed, kubeconfig } }: UsedCluster) {
    const watch = ['get', 'vmim', '--all-namespaces', '-w', '--output-watch-events', '-o', 'json'];
    const kubectl = [binary('kubectl'), `--kubeconfig=${kubeconfig}`, ...watch];
    this.#lines = new Lines(['ip', 'netns', 'exec', fabricOf(testbed), ...kubectl], (line) => {
      const { type, object } = JSON.parse(line) as { type: string; object: VirtualMachineInstanceMigration };
      const phase = type === 'DELETED' ? 'gone' : (object.status?.phase ?? 'new');
      const known = this.#seen.get(object.metadata.name) ?? [];
      if (known.at(-1) !== phase) this.#seen.set(object.metadata.name, [...known, phase]);
    });
  }

  /** All that a migration has been, the latest last. */
  of(name: string): readonly string[] {
    return this.#seen.get(name) ?? [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lines[Symbol.asyncDispose]();
  }
}
