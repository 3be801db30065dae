import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../kubevirt/cluster.ts';
import { STALE_CACHE } from '../kubevirt/labels.ts';
import { isControlledBy, isFinal, type Pod, type VirtualMachineInstance as Vmi } from '../kubevirt/objects.ts';
import type { Step } from '../kubevirt/pace.ts';
import { startVm } from '../migrate/vm.ts';
import type { BindingsWatch, WantedBinding } from '../observe/bindings.ts';
import type { TestbedDescription, VmDescription } from '../testbed/description.ts';
import type { Ending } from './ending.ts';
import { eventually, PATIENCE_MS } from './eventually.ts';
import { type MigrateOptions, Migration } from './migration.ts';

/** A VM of a scenario. */
export class StageVm implements VmDescription {
  readonly namespace: string;
  readonly name: string;
  readonly interfaces: VmDescription['interfaces'];
  readonly #testbed: TestbedDescription;
  readonly #cluster: Cluster;
  readonly #bindings: BindingsWatch;

  constructor(vm: VmDescription, testbed: TestbedDescription, cluster: Cluster, bindings: BindingsWatch) {
    this.namespace = vm.namespace;
    this.name = vm.name;
    this.interfaces = vm.interfaces;
    this.#testbed = testbed;
    this.#cluster = cluster;
    this.#bindings = bindings;
  }

  /** Resolves when it answers the client. */
  async start(annotations?: Readonly<Record<string, string>>): Promise<void> {
    await startVm(this.#testbed, this.#cluster, { vm: this, ...(annotations && { annotations }) });
  }

  /** The VMI that there is now. */
  vmi(): Vmi | undefined {
    return this.#cluster.vmis.get(this.namespace, this.name);
  }

  /** Where KubeVirt says that the guest runs. */
  node(): string {
    return this.vmi()?.status?.nodeName ?? '';
  }

  async migrate(options: MigrateOptions = {}): Promise<Migration> {
    return Migration.start(this, options, this.#cluster);
  }

  /** A migration whose target was armed before memory was copied, and that goes on to a step at which it is held. */
  async migrateArmed(options: MigrateOptions & { readonly to: string; readonly hold: Step }): Promise<Migration> {
    const source = this.node();
    const migration = await this.migrate({ ...options, hold: 'containersStart' });
    await migration.at('containersStart');
    await this.isDual(source, options.to);
    await migration.go(options.hold);
    return migration;
  }

  /** Migrates to a node; resolves when both databases and KubeVirt say that it has arrived. */
  async migrateTo(node: string): Promise<Ending> {
    const migration = await this.migrate({ to: node });
    const phase = await migration.ended();
    if (phase !== 'Succeeded') throw new Error(`The migration to ${node} is ${phase}.`);
    await this.isPinnedTo(node);
    return this.pinned(migration);
  }

  async delete(): Promise<void> {
    const vm = this.#cluster.vms.get(this.namespace, this.name);
    if (vm) await this.#cluster.vms.delete(vm);
    const vmi = this.vmi();
    if (vmi) await this.#cluster.vmis.delete(vmi);
  }

  /** Resolves when nothing of it is left in Kubernetes. */
  async isGone(): Promise<void> {
    await this.#until('the VMI is gone', () => this.vmi() === undefined);
  }

  /** Ends its guest; the VM starts another one, with another VMI, on the first node that is free. */
  async restart(): Promise<void> {
    const vmi = this.vmi();
    if (vmi === undefined) throw new Error(`VM ${this.name} does not run.`);
    await this.#cluster.vmis.delete(vmi);
    await this.isAnother(vmi);
  }

  /** Resolves when another VMI than `vmi` runs. */
  async isAnother(vmi: Vmi | undefined): Promise<void> {
    await this.#until('another VMI runs', () => {
      const now = this.vmi();
      return now?.metadata.uid !== vmi?.metadata.uid && now?.status?.phase === 'Running';
    });
  }

  /** Bound to both chassis, whether the target is held closed or open. */
  async isDual(source: string, target: string): Promise<void> {
    const chassis = [source, target].map((node) => this.#chassisOf(node)).join(',');
    await this.seen(`is dual for ${chassis}`, ({ requestedChassis }) => requestedChassis === chassis);
  }

  async isPinnedTo(node: string): Promise<void> {
    const chassis = this.#chassisOf(node);
    const isPinned = ({ requestedChassis, activationStrategy }: WantedBinding) =>
      requestedChassis === chassis && activationStrategy === undefined;
    await this.seen(`is pinned to ${chassis}`, isPinned);
  }

  /** Kube-OVN has taken its binding off, and what is left is our record. */
  async isStripped(): Promise<void> {
    const isSo = ({ requestedChassis, record }: WantedBinding) =>
      requestedChassis === undefined && Object.keys(record).length > 0;
    await this.seen('is stripped', isSo);
  }

  /** Waits until each of its ports is so in the northbound database. */
  async seen(what: string, condition: (wanted: WantedBinding) => boolean): Promise<void> {
    for (const { port } of this.interfaces) {
      await this.#bindings
        .of(port)
        .wanted.until(condition, { timeoutMs: PATIENCE_MS })
        .catch((cause: Error) => {
          throw new Error(`It did not come that ${port} ${what}. ${cause.message}`, { cause });
        });
    }
  }

  /** Waits until the target's chassis has been opened by the guest's announcement. */
  async isOpenOn(node: string): Promise<void> {
    const chassis = this.#chassisOf(node);
    for (const { port } of this.interfaces) {
      const { claimed } = this.#bindings.of(port);
      await claimed.until(({ activated }) => activated.includes(chassis), { timeoutMs: PATIENCE_MS });
    }
  }

  /** Chassis that OVN remembers as opened by an announcement. */
  openedOn(): readonly string[] {
    return this.interfaces.flatMap(({ port }) => this.#bindings.of(port).claimed.last?.activated ?? []);
  }

  /** Waits until people have been warned of this. */
  async isWarnedOf(reason: string): Promise<void> {
    await eventually(`a warning says ${reason}`, async () => (await this.warnings()).includes(reason));
  }

  /** Reasons of the warnings about its VMI. */
  async warnings(): Promise<string[]> {
    return (await this.#cluster.warningsAbout(this)).map(({ reason }) => reason);
  }

  /** The launcher pod where the guest runs. */
  pod(): Pod | undefined {
    const vmi = this.vmi();
    const isOnNode = ({ spec }: Pod) => spec.nodeName === vmi?.status?.nodeName;
    return this.#cluster.pods
      .all()
      .find((pod) => vmi !== undefined && isControlledBy(pod, vmi) && isOnNode(pod) && !isFinal(pod));
  }

  /**
   * For how long no launcher pod but the guest's has been there, or run, ms. For a minute of that a pod may be plugged
   * still, and the port stays bound.
   */
  aloneForMs(): number {
    const vmi = this.vmi();
    const guest = this.pod();
    const others = this.#cluster.pods
      .all()
      .filter((pod) => vmi !== undefined && isControlledBy(pod, vmi) && pod.metadata.uid !== guest?.metadata.uid);
    return Math.min(Number.POSITIVE_INFINITY, ...others.map((pod) => Date.now() - endOf(pod)));
  }

  async podEnds(pod: Pod): Promise<void> {
    await this.#until(`pod ${pod.metadata.name} ends`, () => {
      const latest = this.#cluster.pods.latest(pod);
      return latest === undefined || isFinal(latest);
    });
  }

  /** Waits until its first port has come to be bound so, in the words of {@link story}, for the second time. */
  async wasAgain(binding: string): Promise<void> {
    const count = () =>
      this.story()
        .split(' → ')
        .filter((one) => one === binding).length;
    await eventually(`${this.name} was ${binding} again`, async () => count() >= 2);
  }

  /** From now on Kube-OVN's copy of its ports does not follow the database. */
  async letKubeOvnFallBehind(): Promise<void> {
    // It has to see what was written before, and that it falls behind before anything else happens.
    await sleep(500);
    await this.annotate({ [STALE_CACHE]: 'true' });
    await sleep(500);
  }

  async letKubeOvnCatchUp(): Promise<void> {
    await this.annotate({ [STALE_CACHE]: undefined });
  }

  /** Of the VM itself, of which no function hears. */
  async annotate(annotations: Readonly<Record<string, string | undefined>>): Promise<void> {
    const vm = this.#cluster.vms.get(this.namespace, this.name);
    if (vm === undefined) throw new Error(`There is no VM ${this.name}.`);
    await this.#cluster.vms.update(vm, ({ metadata }) => {
      const all = Object.entries({ ...metadata.annotations, ...annotations });
      metadata.annotations = Object.fromEntries(
        all.filter((entry): entry is [string, string] => entry[1] !== undefined),
      );
    });
  }

  /** How its first port was bound over time, e.g. `unbound → pinned 1 → dual 1,2 → pinned 2`. */
  story(): string {
    const { wanted } = this.#bindings.of(this.interfaces[0].port);
    const states = wanted.list.map(({ requestedChassis, activationStrategy }) => {
      const numbers = requestedChassis?.replaceAll('chassis-', '');
      if (numbers === undefined) return 'unbound';
      return `${numbers.includes(',') ? (activationStrategy ? 'dual' : 'open') : 'pinned'} ${numbers}`;
    });
    return states.filter((state, index) => state !== states[index - 1]).join(' → ');
  }

  /** The end of a VM that runs where KubeVirt says, bound by this migration. */
  pinned({ uid }: Migration): Ending {
    return { binding: 'pinned', node: this.node(), migration: uid };
  }

  /** The end of a VM that runs where KubeVirt says, and has no binding. */
  unbound(): Ending {
    return { binding: 'unbound', node: this.node() };
  }

  #chassisOf(node: string): string {
    return chassisOf(this.#testbed, node);
  }

  async #until(what: string, look: () => boolean): Promise<void> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    await this.#cluster.until(look, signal).catch((cause: unknown) => {
      if (!signal.aborted) throw cause;
      throw new Error(`It did not come that ${what}, of VM ${this.namespace}/${this.name}.`, { cause });
    });
  }
}

/** ms since the epoch; now, as long as it has not ended. */
function endOf({ status }: Pod): number {
  const finished = status?.containerStatuses?.flatMap(({ state }) => state?.terminated?.finishedAt ?? []) ?? [];
  const changed = status?.conditions?.flatMap(({ lastTransitionTime }) => lastTransitionTime ?? []) ?? [];
  const times = [...finished, ...changed].map((time) => Date.parse(time));
  return status?.phase !== undefined && isFinal({ status }) && times.length > 0 ? Math.max(...times) : Date.now();
}

/** Chassis names follow the nodes', also those of nodes that the testbed has only by name. */
export function chassisOf({ chassis }: TestbedDescription, node: string): string {
  return chassis.find((one) => one.node === node)?.name ?? node.replace('node', 'chassis-');
}
