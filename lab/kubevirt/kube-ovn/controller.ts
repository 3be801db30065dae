import type { VmDescription } from '../../testbed/description.ts';
import { vmOf } from '../cni.ts';
import type { Context } from '../context.ts';
import { ARP_PROXY, MIGRATION_JOB_NAME, PLAIN_OVN, SECURITY_GROUPS, STALE_CACHE } from '../labels.ts';
import { isFinal, type Pod, type VirtualMachine } from '../objects.ts';
import { identityOf } from './identity.ts';
import { Ports } from './ports.ts';

/**
 * Kube-OVN's controller, as far as it writes to VMs' pods and logical switch ports with
 * `--enable-live-migration-optimize=false` and `--keep-vm-ip`:
 *
 * - each pod of a VM is told its network identity at once, before it has a node;
 * - every add and update of a pod that is, or ever was, a migration's target writes the port's `external_ids` anew;
 * - the deletion of any launcher pod of a VM takes the binding off `options`;
 * - security groups and proxied ARP write `external_ids` and `options` as they were in its copy of the table.
 */
export async function controlPorts(context: KubeOvnContext): Promise<void> {
  const { testbed, lives, signal } = context;
  const ports = new Ports(testbed.northbound);
  signal.addEventListener('abort', () => void ports.close());
  await ports.ready();
  const controller = new PortController(context, ports);
  for (const kind of ['update', 'delete'] as const) lives.start(`kube-ovn ${kind}`, () => controller.run(kind));
}

export type KubeOvnContext = Pick<Context, 'cluster' | 'testbed' | 'lives' | 'log' | 'signal'>;

type Work = () => Promise<void>;

class PortController {
  readonly #context: KubeOvnContext;
  readonly #ports: Ports;
  readonly #pods = new Map<string, Pod>();
  /** What was last written, by the uid of the object that asked for it. */
  readonly #groups = new Map<string, string>();
  readonly #proxies = new Map<string, string | undefined>();
  /** By object: of what has not been begun the latest counts. Deletions have a queue of their own, as in the real one. */
  readonly #queues = { update: new Map<string, Work>(), delete: new Map<string, Work>() };

  constructor(context: KubeOvnContext, ports: Ports) {
    this.#context = context;
    this.#ports = ports;
    context.cluster.onChange(() => this.#look(), context.signal);
  }

  /** Does what is in a queue, one after the other, until shutdown; what fails is tried again. */
  async run(kind: 'update' | 'delete'): Promise<void> {
    const { cluster, log, signal } = this.#context;
    const queue = this.#queues[kind];
    for (;;) {
      const [key, work] = await cluster.until(() => [...queue][0], signal);
      queue.delete(key);
      await work().catch((error: unknown) => {
        signal.throwIfAborted();
        log('error', { name: 'kube-ovn', message: String(error) });
        if (!queue.has(key)) queue.set(key, work);
      });
    }
  }

  #look(): void {
    const { cluster } = this.#context;
    for (const vm of cluster.vms.all()) this.#lookAtVm(vm);
    const now = new Set<string>();
    for (const pod of cluster.pods.all()) {
      const { uid, resourceVersion } = pod.metadata;
      now.add(uid);
      if (this.#pods.get(uid)?.metadata.resourceVersion === resourceVersion) continue;
      this.#pods.set(uid, pod);
      this.#do(pod, 'update', (vm) => this.#allocate(pod, vm));
    }
    for (const [uid, pod] of this.#pods) {
      if (now.has(uid)) continue;
      this.#pods.delete(uid);
      this.#do(pod, 'delete', (vm) => this.#onEach(vm, (nic) => this.#ports.cleanMigrateOptions(vm, nic)));
    }
  }

  /** What a virtual IP or a subnet would bring comes here by an annotation of the VM, of which no function hears. */
  #lookAtVm({ metadata: { uid, name, namespace, annotations = {} } }: VirtualMachine): void {
    const vm = this.#context.testbed.vms.find((one) => one.namespace === namespace && one.name === name);
    if (vm === undefined) return;
    this.#ports.setStale(vm, STALE_CACHE in annotations);
    const proxy = annotations[ARP_PROXY];
    if (this.#proxies.get(uid) === proxy) return;
    this.#proxies.set(uid, proxy);
    this.#queues.update.set(uid, () => this.#onEach(vm, (nic) => this.#ports.setArpProxy(vm, nic, proxy)));
  }

  #do(pod: Pod, kind: 'update' | 'delete', work: (vm: VmDescription) => Promise<void>): void {
    const vm = this.#vmOf(pod);
    if (vm !== undefined) this.#queues[kind].set(pod.metadata.uid, () => work(vm));
  }

  async #allocate(pod: Pod, vm: VmDescription): Promise<void> {
    if (isFinal(pod) || pod.metadata.deletionTimestamp !== undefined) return;
    const annotations = pod.metadata.annotations ?? {};
    const groups = annotations[SECURITY_GROUPS] ?? '';
    const wasTarget = annotations[MIGRATION_JOB_NAME] !== undefined;
    if (wasTarget) await this.#onEach(vm, (nic) => this.#ports.allocate(vm, nic, groups));
    if (groups !== (this.#groups.get(pod.metadata.uid) ?? '')) {
      await this.#onEach(vm, (nic) => this.#ports.setSecurityGroups(vm, nic, groups));
      this.#groups.set(pod.metadata.uid, groups);
    }
    const identity = Object.entries(identityOf(pod, vm));
    const missing = identity.filter(([key, value]) => annotations[key] !== value);
    if (missing.length === 0) return;
    await this.#context.cluster.patchPod(pod, { metadata: { annotations: Object.fromEntries(missing) } });
  }

  async #onEach(vm: VmDescription, write: (nic: VmDescription['interfaces'][number]) => Promise<void>): Promise<void> {
    for (const nic of vm.interfaces) await write(nic);
  }

  /** By the kind of the owner alone, as Kube-OVN tells a VM's pod. */
  #vmOf(pod: Pod): VmDescription | undefined {
    const isOfVmi = pod.metadata.ownerReferences?.[0]?.kind === 'VirtualMachineInstance';
    if (!isOfVmi || pod.metadata.annotations?.[PLAIN_OVN] !== undefined) return undefined;
    try {
      return vmOf(pod, this.#context.testbed);
    } catch {
      return undefined;
    }
  }
}
