import { LookAgainError } from '../decision/errors.ts';
import type { Remark } from '../decision/events.ts';
import type { Objects } from '../decision/facts.ts';
import {
  isFinal,
  isGated,
  type Pod,
  SCHEDULING_GATE,
  type VirtualMachineInstance,
  type VirtualMachineInstanceMigration,
  type VmiReference,
} from '../decision/kubevirt.ts';

/**
 * The requests that the hand-over makes to the Kubernetes API. Every read asks for the most recent state (no
 * resourceVersion). Errors: TryAgainError when the API server is away or refuses.
 */
export interface KubernetesApi {
  /** VMIMs of one VMI, by KubeVirt's label for it; without a name those of all VMIs, in all namespaces. */
  listMigrations(vmi?: VmiReference): Promise<readonly VirtualMachineInstanceMigration[]>;
  getVmi(vmi: VmiReference): Promise<VirtualMachineInstance | undefined>;
  listLauncherPods(namespace: string, vmiUid: string): Promise<readonly Pod[]>;
  /** A JSON merge patch. `gone` also where the pod of this name is another one. */
  patchPod(pod: Pod, patch: object): Promise<'patched' | 'conflict' | 'gone'>;
  createEvent(vmi: VmiReference & { readonly uid: string }, component: string, remark: Remark): Promise<void>;
}

/** What the hand-over reads and writes of a VM in Kubernetes. */
export class Kubernetes {
  readonly #api: KubernetesApi;

  constructor(api: KubernetesApi) {
    this.#api = api;
  }

  /**
   * The objects of one VM, read in an order that cannot mislead: a guest's node is written before its migration is
   * called final, and its pod is marked as switched before that. Whoever reads the other way round can see a final
   * migration with the node of before, and would pin the port to where the guest no longer is.
   */
  async objectsOf(vmi: VmiReference): Promise<Objects> {
    const migrations = await this.#api.listMigrations(vmi);
    const instance = await this.#api.getVmi(vmi);
    const pods = instance ? await this.#api.listLauncherPods(vmi.namespace, instance.metadata.uid) : [];
    return { migrations, vmi: instance, pods };
  }

  /** VMs of which a migration is not final. */
  async migratingVmis(): Promise<readonly VmiReference[]> {
    const unfinished = (await this.#api.listMigrations()).filter((migration) => !isFinal(migration));
    return unfinished.map(({ metadata, spec }) => ({ namespace: metadata.namespace, name: spec.vmiName }));
  }

  /**
   * Annotates a target pod and takes our scheduling gate off, if it has it, in one write that counts only if the pod
   * still is as it was read. A pod that is gone needs neither.
   * @throws LookAgainError when the pod was changed in between
   */
  async admit(pod: Pod, annotations: Readonly<Record<string, string>>): Promise<void> {
    const { name, namespace, uid, resourceVersion } = pod.metadata;
    const gates = pod.spec.schedulingGates ?? [];
    const outcome = await this.#api.patchPod(pod, {
      metadata: { uid, resourceVersion, annotations },
      ...(isGated(pod) && { spec: { schedulingGates: gates.filter((gate) => gate.name !== SCHEDULING_GATE) } }),
    });
    if (outcome === 'conflict') throw new LookAgainError(`pod ${namespace}/${name} was changed in between`);
  }

  /** Tells of a VMI what `kubectl describe` shows. */
  async remark(vmi: VmiReference & { readonly uid: string }, component: string, remark: Remark): Promise<void> {
    await this.#api.createEvent(vmi, component, remark);
  }
}
