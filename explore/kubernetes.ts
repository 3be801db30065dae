import {
  isFinal,
  MIGRATION_UID_LABEL,
  OPT_IN_ANNOTATION,
  type Pod,
  SCHEDULING_GATE,
  TARGET_READY_ANNOTATION,
  type VirtualMachineInstance,
  type VirtualMachineInstanceMigration,
} from '../handover/decision/kubevirt.ts';
import type { KubernetesApi } from '../handover/kubernetes/kubernetes.ts';
import type { Vm } from './vm.ts';

export const NAMESPACE = 'prod';

type KubernetesObject = VirtualMachineInstance | VirtualMachineInstanceMigration | Pod;
export type Kind = 'VirtualMachineInstance' | 'VirtualMachineInstanceMigration' | 'Pod';
export type Action = 'add' | 'update' | 'delete';
export type OnChange = (vm: Vm, kind: Kind, action: Action, object: KubernetesObject) => void;

/** The API server: objects that are never changed in place, so that what was read stays as it was. */
export class ApiServer implements KubernetesApi {
  readonly vms: readonly Vm[];
  /** Called with the pod as it was and as it is when our gate is taken off. */
  onAdmitted: (vm: Vm, pod: Pod) => void = () => {};
  readonly #now: () => number;
  readonly #onChange: OnChange;
  #versions = 1;
  #uids = 0;

  constructor(vms: readonly Vm[], now: () => number, onChange: OnChange) {
    this.vms = vms;
    this.#now = now;
    this.#onChange = onChange;
  }

  // What the functions ask for.

  async listMigrations(vmi?: { readonly name: string }) {
    return vmi ? (this.#vm(vmi.name)?.vmims ?? []) : this.vms.flatMap(({ vmims }) => vmims);
  }

  async getVmi({ name }: { readonly name: string }) {
    return this.#vm(name)?.vmi;
  }

  async listLauncherPods(_namespace: string, vmiUid: string) {
    // Forged pods have the label too: a label is anybody's to write.
    return this.vms
      .flatMap(({ pods }) => pods)
      .filter(({ metadata }) => metadata.labels?.['kubevirt.io/created-by'] === vmiUid);
  }

  async patchPod(pod: Pod, patch: object) {
    const vm = this.vms.find(({ pods }) => pods.some(({ metadata }) => metadata.uid === pod.metadata.uid));
    const present = vm?.pods.find(({ metadata }) => metadata.uid === pod.metadata.uid);
    if (vm === undefined || present === undefined) return 'gone' as const;
    const { metadata, spec } = patch as Pick<Pod, 'metadata' | 'spec'>;
    if (metadata.resourceVersion !== present.metadata.resourceVersion) return 'conflict' as const;
    const { annotations } = metadata;
    if (spec && present.spec.schedulingGates?.length) this.onAdmitted(vm, present);
    this.updatePod(vm, present, { annotations: { ...present.metadata.annotations, ...annotations } }, spec);
    return 'patched' as const;
  }

  async createEvent() {}

  // What KubeVirt, the scheduler and the kubelets write.

  createVmi(vm: Vm, node: string, optedIn: boolean): void {
    vm.vmi = {
      metadata: this.#metadata(vm.name, { annotations: optedIn ? { [OPT_IN_ANNOTATION]: '' } : {} }),
      status: { phase: 'Running', nodeName: node },
    };
    vm.guest = node;
    vm.pods.push(this.#launcher(vm, {}, { nodeName: node }));
    this.#changed(vm, 'VirtualMachineInstance', 'add', vm.vmi);
  }

  updateVmi(vm: Vm, status: object, annotations = vm.vmi?.metadata.annotations): void {
    if (vm.vmi === undefined) return;
    vm.vmi = {
      metadata: { ...vm.vmi.metadata, ...this.#version(), ...(annotations && { annotations }) },
      status: { ...vm.vmi.status, ...status },
    };
    this.#changed(vm, 'VirtualMachineInstance', 'update', vm.vmi);
  }

  deleteVmi(vm: Vm): void {
    const { vmi, pods, vmims } = vm;
    vm.vmi = undefined;
    vm.guest = undefined;
    vm.pods = [];
    if (vmi) this.#changed(vm, 'VirtualMachineInstance', 'delete', vmi);
    for (const pod of pods) this.#changed(vm, 'Pod', 'delete', pod);
    vm.vmims = [];
    for (const vmim of vmims) this.#changed(vm, 'VirtualMachineInstanceMigration', 'delete', vmim);
  }

  createVmim(vm: Vm): VirtualMachineInstanceMigration {
    const vmim = {
      metadata: this.#metadata(`${vm.name}-migration`, { labels: { 'kubevirt.io/vmi-name': vm.name } }),
      spec: { vmiName: vm.name },
      status: {},
    };
    vm.vmims = [...vm.vmims, vmim];
    vm.migration = { uid: vmim.metadata.uid, pod: undefined };
    this.#changed(vm, 'VirtualMachineInstanceMigration', 'add', vmim);
    return vmim;
  }

  updateVmim(vm: Vm, uid: string, change: { phase?: string; deletionTimestamp?: string }): void {
    const present = vm.vmims.find(({ metadata }) => metadata.uid === uid);
    if (present === undefined) return;
    const { phase = present.status?.phase, deletionTimestamp = present.metadata.deletionTimestamp } = change;
    const vmim = {
      ...present,
      metadata: { ...present.metadata, ...this.#version(), ...(deletionTimestamp && { deletionTimestamp }) },
      status: phase === undefined ? {} : { phase },
    };
    vm.vmims = vm.vmims.map((one) => (one === present ? vmim : one));
    this.#changed(vm, 'VirtualMachineInstanceMigration', 'update', vmim);
  }

  createTarget(vm: Vm, migration: string, gated: boolean): Pod {
    const spec = gated ? { schedulingGates: [{ name: SCHEDULING_GATE }] } : {};
    const pod = this.#launcher(vm, { [MIGRATION_UID_LABEL]: migration }, spec);
    vm.pods = [...vm.pods, pod];
    if (vm.migration) vm.migration.pod = pod.metadata.uid;
    this.#changed(vm, 'Pod', 'add', pod);
    return pod;
  }

  /** A tenant's pod with all the labels of a target, controlled by another VMI that is long gone. */
  createForgedTarget(vm: Vm, migration: string, node: string): void {
    const { metadata, ...rest } = this.#launcher(vm, { [MIGRATION_UID_LABEL]: migration }, { nodeName: node });
    const [owner] = metadata.ownerReferences!;
    const forged = { ...rest, metadata: { ...metadata, ownerReferences: [{ ...owner!, uid: 'vmi-of-before' }] } };
    vm.pods = [...vm.pods, forged];
    this.#changed(vm, 'Pod', 'add', forged);
  }

  updatePod(vm: Vm, { metadata: { uid } }: Pod, metadata: object, spec: object = {}, status: object = {}): void {
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

  deletePod(vm: Vm, { metadata: { uid } }: Pod): void {
    const present = vm.pods.find((pod) => pod.metadata.uid === uid);
    if (present === undefined) return;
    vm.pods = vm.pods.filter((one) => one !== present);
    this.#changed(vm, 'Pod', 'delete', present);
  }

  /** The target says that the guest runs there. */
  markReady(vm: Vm, { metadata: { uid } }: Pod): void {
    const present = vm.pods.find((pod) => pod.metadata.uid === uid);
    if (present === undefined) return;
    const annotations = { ...present.metadata.annotations, [TARGET_READY_ANNOTATION]: new Date().toISOString() };
    this.updatePod(vm, present, { annotations });
  }

  /** Writes down what is true of a VM now. */
  note(vm: Vm): void {
    const { vmi, migration } = vm;
    const pod = vm.pods.find(({ metadata }) => metadata.uid === migration?.pod);
    const isRunning = vm.vmims.some((vmim) => vmim.metadata.uid === migration?.uid && !isFinal(vmim));
    const state = vmi?.status?.migrationState;
    const target = pod?.spec.nodeName;
    vm.history.push({
      from: this.#now(),
      uid: vmi && !isFinal(vmi) ? vmi.metadata.uid : undefined,
      optedIn: vmi?.metadata.annotations?.[OPT_IN_ANNOTATION] !== undefined,
      node: vmi?.status?.nodeName,
      guest: vm.guest,
      migration:
        isRunning && migration
          ? {
              uid: migration.uid,
              target,
              ended: pod === undefined || isFinal(pod) || pod.metadata.deletionTimestamp !== undefined,
              switched:
                pod?.metadata.annotations?.[TARGET_READY_ANNOTATION] !== undefined ||
                (state?.migrationUid === migration.uid && state.targetNodeDomainReadyTimestamp !== undefined) ||
                (target !== undefined && vmi?.status?.nodeName === target),
            }
          : undefined,
    });
  }

  #vm(name: string): Vm | undefined {
    return this.vms.find((vm) => vm.name === name);
  }

  #changed(vm: Vm, kind: Kind, action: Action, object: KubernetesObject): void {
    this.note(vm);
    this.#onChange(vm, kind, action, object);
  }

  #launcher(vm: Vm, labels: Record<string, string>, spec: Pod['spec']): Pod {
    const { name, uid } = vm.vmi!.metadata;
    return {
      metadata: {
        ...this.#metadata(`virt-launcher-${vm.name}`, { annotations: {} }),
        labels: { 'kubevirt.io': 'virt-launcher', 'kubevirt.io/created-by': uid, ...labels },
        ownerReferences: [
          { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance', name, uid, controller: true },
        ],
      },
      spec,
      status: { phase: 'nodeName' in spec ? 'Running' : 'Pending' },
    };
  }

  #metadata<More extends object>(name: string, more: More) {
    const number = ++this.#uids;
    // Kubernetes gives whole seconds.
    const creationTimestamp = new Date(Math.floor(this.#now() / 1000) * 1000);
    return {
      name: `${name}${name.includes('-') ? `-${number}` : ''}`,
      namespace: NAMESPACE,
      uid: `uid-${number}`,
      creationTimestamp,
      ...this.#version(),
      ...more,
    };
  }

  #version() {
    return { resourceVersion: String(++this.#versions) };
  }
}
