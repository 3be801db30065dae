import {
  type Action,
  CREATED_BY_LABEL,
  GATES,
  hasEnded,
  IDENTITY_ANNOTATIONS,
  isFinal,
  type Kind,
  type KubernetesObject,
  MIGRATION_NAME_ANNOTATION,
  MIGRATION_UID_LABEL,
  NAMESPACE,
  type ObjectMeta,
  OPT_IN_ANNOTATION,
  ownerOf,
  type Pod,
  READY_ANNOTATION,
  VMI_NAME_LABEL,
  type Vmi,
  type Vmim,
} from './objects.ts';
import type { Vm } from './vm.ts';

export type OnChange = (vm: Vm, kind: Kind, action: Action, object: KubernetesObject) => void;

interface Changes {
  readonly metadata?: Partial<ObjectMeta>;
  readonly spec?: Pod['spec'];
  readonly status?: Partial<Pod['status']>;
}

/** Kubernetes' objects, and who writes what of them. None is ever changed in place: what was read stays as it was. */
export class ApiServer {
  readonly vms: readonly Vm[];
  readonly #onChange: OnChange;
  #versions = 1;
  #uids = 0;

  constructor(vms: readonly Vm[], onChange: OnChange) {
    this.vms = vms;
    this.#onChange = onChange;
  }

  vmNamed(name: string): Vm | undefined {
    return this.vms.find((vm) => vm.name === name);
  }

  createVmi(vm: Vm, node: string, optedIn: boolean): void {
    vm.vmi = this.#vmi(vm, optedIn, { phase: 'Running', nodeName: node });
    const pod = this.#launcher(vm, {}, IDENTITY_ANNOTATIONS, { nodeName: node });
    vm.guest = node;
    vm.guestPod = pod.metadata.uid;
    vm.pods = [...vm.pods, pod];
    vm.taps.set(pod.metadata.uid, node);
    this.#changed(vm, 'VirtualMachineInstance', 'add', vm.vmi);
    this.#changed(vm, 'Pod', 'add', pod);
  }

  /** A VMI that waits for its guest from another cluster. */
  createWaitingVmi(vm: Vm): void {
    vm.vmi = this.#vmi(vm, true, { phase: 'WaitingForSync' });
    this.#changed(vm, 'VirtualMachineInstance', 'add', vm.vmi);
  }

  updateVmi(vm: Vm, status: Partial<Vmi['status']>, annotations = vm.vmi?.metadata.annotations): void {
    if (vm.vmi === undefined) return;
    vm.vmi = {
      ...vm.vmi,
      metadata: { ...vm.vmi.metadata, ...this.#version(), ...(annotations && { annotations }) },
      status: { ...vm.vmi.status, ...status },
    };
    this.#changed(vm, 'VirtualMachineInstance', 'update', vm.vmi);
  }

  /** Another interface: KubeVirt writes it to the VMI, and plugs it in by the next migration. */
  interfaceAdded(vm: Vm): void {
    if (vm.vmi === undefined) return;
    vm.vmi = { ...vm.vmi, spec: specOf(vm) };
    this.updateVmi(vm, {});
  }

  deleteVmi(vm: Vm): void {
    const { vmi, pods, vmims } = vm;
    vm.vmi = undefined;
    vm.guest = undefined;
    vm.guestPod = undefined;
    vm.taps.clear();
    vm.pods = [];
    if (vmi) this.#changed(vm, 'VirtualMachineInstance', 'delete', vmi);
    for (const pod of pods) this.#changed(vm, 'Pod', 'delete', pod);
    vm.vmims = [];
    for (const vmim of vmims) this.#changed(vm, 'VirtualMachineInstanceMigration', 'delete', vmim);
  }

  /** @param spec beside the name of the VMI: `receive` makes it one half of a decentralized migration */
  createVmim(vm: Vm, hasLabel: boolean, spec: Partial<Vmim['spec']> = {}): Vmim {
    const labels = hasLabel ? { [VMI_NAME_LABEL]: vm.name } : {};
    const vmim = {
      metadata: this.#metadata(`kubevirt-migrate-${vm.name}`, { labels }),
      spec: { vmiName: vm.name, ...spec },
      status: {},
    };
    vm.vmims = [...vm.vmims, vmim];
    if (spec.receive === undefined) vm.migration = { uid: vmim.metadata.uid, pod: undefined };
    this.#changed(vm, 'VirtualMachineInstanceMigration', 'add', vmim);
    return vmim;
  }

  updateVmim(vm: Vm, uid: string, metadata: Partial<ObjectMeta>, status: Vmim['status'] = {}): void {
    const present = vm.vmims.find((vmim) => vmim.metadata.uid === uid);
    if (present === undefined) return;
    const vmim = {
      ...present,
      metadata: { ...present.metadata, ...this.#version(), ...metadata },
      status: { ...present.status, ...status },
    };
    vm.vmims = vm.vmims.map((one) => (one === present ? vmim : one));
    this.#changed(vm, 'VirtualMachineInstanceMigration', 'update', vmim);
  }

  /** Its watchers hear of it; nothing that anybody decides by has changed. */
  annotateVmim(vm: Vm, { metadata: { uid } }: Vmim, added: Readonly<Record<string, string>>): Vmim {
    const present = vm.vmims.find((vmim) => vmim.metadata.uid === uid)!;
    const annotations = { ...present.metadata.annotations, ...added };
    const vmim = { ...present, metadata: { ...present.metadata, ...this.#version(), annotations } };
    vm.vmims = vm.vmims.map((one) => (one === present ? vmim : one));
    this.#onChange(vm, 'VirtualMachineInstanceMigration', 'update', vmim);
    return vmim;
  }

  deleteVmim(vm: Vm, uid: string): void {
    const present = vm.vmims.find((vmim) => vmim.metadata.uid === uid);
    if (present === undefined) return;
    vm.vmims = vm.vmims.filter((one) => one !== present);
    this.#changed(vm, 'VirtualMachineInstanceMigration', 'delete', present);
  }

  /** @param gated whether the admission policy for target pods of opted-in VMs is installed */
  createTarget(vm: Vm, { metadata }: Vmim, gated: boolean): Pod {
    const spec = gated ? { schedulingGates: GATES.map((name) => ({ name })) } : {};
    const pod = this.#launcher(vm, ...markedBy(metadata), spec);
    vm.pods = [...vm.pods, pod];
    if (vm.migration?.uid === metadata.uid) vm.migration.pod = pod.metadata.uid;
    this.#changed(vm, 'Pod', 'add', pod);
    return pod;
  }

  /** A tenant's pod with all the labels of a target, controlled by another VMI that is long gone. */
  createForgedTarget(vm: Vm, vmim: Vmim, node: string): void {
    const { metadata, ...rest } = this.#launcher(vm, ...markedBy(vmim.metadata), { nodeName: node });
    const [owner] = metadata.ownerReferences!;
    const forged = { ...rest, metadata: { ...metadata, ownerReferences: [{ ...owner!, uid: 'vmi-of-before' }] } };
    vm.pods = [...vm.pods, forged];
    this.#changed(vm, 'Pod', 'add', forged);
  }

  updatePod(vm: Vm, { metadata: { uid } }: Pod, { metadata, spec, status }: Changes): void {
    const present = vm.pods.find((pod) => pod.metadata.uid === uid);
    if (present === undefined) return;
    const pod = {
      metadata: { ...present.metadata, ...this.#version(), ...metadata },
      spec: { ...present.spec, ...spec },
      status: { ...present.status, ...status },
    };
    vm.pods = vm.pods.map((one) => (one === present ? pod : one));
    this.#changed(vm, 'Pod', 'update', pod);
  }

  annotatePod(vm: Vm, pod: Pod, added: Readonly<Record<string, string>>): void {
    this.updatePod(vm, pod, { metadata: { annotations: { ...vm.podNow(pod).metadata.annotations, ...added } } });
  }

  /** The kubelet: all containers have ended. */
  endPod(vm: Vm, pod: Pod, phase: 'Succeeded' | 'Failed'): void {
    const now = atFullSeconds();
    this.updatePod(vm, pod, {
      status: {
        phase,
        conditions: [{ type: 'Ready', status: 'False', reason: 'PodCompleted', lastTransitionTime: now }],
        containerStatuses: [{ name: 'compute', ready: false, state: { terminated: { exitCode: 0, finishedAt: now } } }],
      },
    });
  }

  deletePod(vm: Vm, { metadata: { uid } }: Pod): void {
    const present = vm.pods.find((pod) => pod.metadata.uid === uid);
    if (present === undefined) return;
    vm.pods = vm.pods.filter((one) => one !== present);
    this.#changed(vm, 'Pod', 'delete', present);
  }

  /** virt-controller: the guest runs in this pod. */
  markReady(vm: Vm, pod: Pod): void {
    const time = `${new Date().toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`;
    this.annotatePod(vm, pod, { [READY_ANNOTATION]: time });
  }

  /** Writes down what is true of a VM now. */
  note(vm: Vm): void {
    const { vmi, migration } = vm;
    const vmim = vm.vmims.find(({ metadata }) => metadata.uid === migration?.uid);
    const target = vm.pods.find(({ metadata }) => metadata.uid === migration?.pod);
    const source = vm.pods.find(
      (pod) =>
        pod !== target &&
        pod.spec.nodeName === vmi?.status.nodeName &&
        ownerOf(pod) === vmi?.metadata.uid &&
        !isFinal(pod),
    );
    const present = vmi?.status.migrationState;
    const state = present?.migrationUid === vmim?.metadata.uid ? present : undefined;
    vm.history.push({
      from: Date.now(),
      uid: vmi && !isFinal(vmi) ? vmi.metadata.uid : undefined,
      vmi: vmi?.metadata.uid,
      optedIn: vmi?.metadata.annotations[OPT_IN_ANNOTATION] !== undefined,
      node: vmi?.status.nodeName,
      guest: vm.guest,
      migration:
        vmim && !isFinal(vmim)
          ? {
              uid: vmim.metadata.uid,
              isFound: VMI_NAME_LABEL in vmim.metadata.labels || (target !== undefined && !isFinal(target)),
              target: target?.spec.nodeName,
              targetEnded: target === undefined || hasEnded(target),
              sourceEnded: source === undefined,
              deleting: vmim.metadata.deletionTimestamp !== undefined,
              copying: vmim.status.phase === 'Running' || state?.startTimestamp !== undefined,
              switched:
                target?.spec.nodeName !== undefined &&
                (target.metadata.annotations[READY_ANNOTATION] !== undefined ||
                  state?.targetNodeDomainReadyTimestamp !== undefined ||
                  vmi?.status.nodeName === target.spec.nodeName),
            }
          : undefined,
    });
  }

  #vmi(vm: Vm, optedIn: boolean, status: Vmi['status']): Vmi {
    const metadata = this.#metadata(vm.name, { annotations: optedIn ? { [OPT_IN_ANNOTATION]: '' } : {} });
    return { metadata, spec: specOf(vm), status };
  }

  #changed(vm: Vm, kind: Kind, action: Action, object: KubernetesObject): void {
    this.note(vm);
    this.#onChange(vm, kind, action, object);
  }

  #launcher(
    vm: Vm,
    labels: Readonly<Record<string, string>>,
    annotations: Readonly<Record<string, string>>,
    spec: Pod['spec'],
  ): Pod {
    const { name, uid, annotations: ofVmi } = vm.vmi!.metadata;
    return {
      metadata: this.#metadata(`virt-launcher-${vm.name}`, {
        annotations: { ...ofVmi, ...annotations },
        labels: { 'kubevirt.io': 'virt-launcher', [CREATED_BY_LABEL]: uid, ...labels },
        ownerReferences: [
          { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance', name, uid, controller: true },
        ],
      }),
      spec,
      status: { phase: 'nodeName' in spec ? 'Running' : 'Pending' },
    };
  }

  #metadata(name: string, more: Partial<ObjectMeta>): ObjectMeta {
    const number = ++this.#uids;
    return {
      // KubeVirt generates the names of all but VMIs.
      name: name.includes('-') ? `${name}-${number}` : name,
      namespace: NAMESPACE,
      uid: `uid-${number}`,
      creationTimestamp: atFullSeconds(),
      labels: {},
      annotations: {},
      ...this.#version(),
      ...more,
    };
  }

  #version(): { readonly resourceVersion: string } {
    return { resourceVersion: String(++this.#versions) };
  }
}

function markedBy({ uid, name }: ObjectMeta): [labels: Record<string, string>, annotations: Record<string, string>] {
  return [{ [MIGRATION_UID_LABEL]: uid }, { [MIGRATION_NAME_ANNOTATION]: name }];
}

function specOf({ ports }: Vm): Vmi['spec'] {
  return { networks: ports.map(({ name }) => ({ name })) };
}

/** Kubernetes gives whole seconds. */
function atFullSeconds(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}
