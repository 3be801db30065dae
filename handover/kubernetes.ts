import {
  CoreV1Api,
  CustomObjectsApi,
  createConfiguration,
  KubeConfig,
  PatchStrategy,
  ServerConfiguration,
  setHeaderOptions,
} from '@kubernetes/client-node';
import { LookAgainError, TryAgainError } from './errors.ts';
import type { Objects } from './facts.ts';
import {
  isGated,
  type Pod,
  SCHEDULING_GATE,
  type VirtualMachineInstance,
  type VirtualMachineInstanceMigration,
  type VmiReference,
} from './kubevirt.ts';
import type { Remark } from './remark.ts';
import { SettingsError } from './settings.ts';

const REQUEST_TIMEOUT_MS = 5_000;
const KUBEVIRT = { group: 'kubevirt.io', version: 'v1' } as const;
/** Longest label value; KubeVirt labels a VMIM with the name of its VMI. */
const LONGEST_LABEL = 63;

/**
 * Reads and writes of one VM's objects. Every read asks for the most recent state (no resourceVersion).
 * Errors: {@link TryAgainError} when the API server is away or refuses, {@link LookAgainError} when an object changed.
 */
export class Kubernetes {
  readonly #core: CoreV1Api;
  readonly #custom: CustomObjectsApi;

  /** @param userAgent names the function in the API server's audit log */
  constructor(userAgent: string, config: KubeConfig = fromEnvironment()) {
    const server = config.getCurrentCluster()?.server;
    if (server === undefined) throw new SettingsError('settings: KUBECONFIG names no cluster');
    const configuration = createConfiguration({
      baseServer: new ServerConfiguration(server, {}),
      authMethods: { default: config },
      promiseMiddleware: [
        {
          async pre(request) {
            request.setHeaderParam('User-Agent', userAgent);
            request.setSignal(AbortSignal.timeout(REQUEST_TIMEOUT_MS));
            return request;
          },
          post: async (response) => response,
        },
      ],
    });
    this.#core = new CoreV1Api(configuration);
    this.#custom = new CustomObjectsApi(configuration);
  }

  /**
   * The objects of one VM, read in an order that cannot mislead: a guest's node is written before its migration is
   * called final, and its pod is marked as switched before that. Whoever reads the other way round can see a final
   * migration with the node of before, and would pin the port to where the guest no longer is.
   */
  async objectsOf(vmi: VmiReference): Promise<Objects> {
    const migrations = await this.#migrations(vmi);
    const instance = await this.#instance(vmi);
    const pods = instance ? await this.#launcherPods(vmi.namespace, instance.metadata.uid) : [];
    return { migrations, vmi: instance, pods };
  }

  /**
   * Annotates a target pod and takes our scheduling gate off, if it has it, in one write that counts only if the pod
   * still is as it was read.
   */
  async admit(pod: Pod, annotations: Readonly<Record<string, string>>): Promise<void> {
    const { name, namespace, uid, resourceVersion } = pod.metadata;
    const gates = pod.spec.schedulingGates ?? [];
    const body = {
      metadata: { uid, resourceVersion, annotations },
      ...(isGated(pod) && { spec: { schedulingGates: gates.filter((gate) => gate.name !== SCHEDULING_GATE) } }),
    };
    await request(`patch pod ${namespace}/${name}`, () =>
      this.#core.patchNamespacedPod(
        { name, namespace, body },
        setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
      ),
    );
  }

  /** Tells of a VMI what `kubectl describe` shows. */
  async remark(vmi: VmiReference & { readonly uid: string }, component: string, remark: Remark): Promise<void> {
    const now = new Date();
    await request(`create event for VMI ${vmi.namespace}/${vmi.name}`, () =>
      this.#core.createNamespacedEvent({
        namespace: vmi.namespace,
        body: {
          metadata: { generateName: `${vmi.name}.`, namespace: vmi.namespace },
          involvedObject: { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance', ...vmi },
          ...remark,
          source: { component },
          reportingComponent: `ovn-handover.dev/${component}`,
          reportingInstance: component,
          firstTimestamp: now,
          lastTimestamp: now,
          count: 1,
        },
      }),
    );
  }

  async #migrations({ namespace, name }: VmiReference): Promise<VirtualMachineInstanceMigration[]> {
    const list = await request(`list VMIMs of VMI ${namespace}/${name}`, () =>
      this.#custom.listNamespacedCustomObject({
        ...KUBEVIRT,
        namespace,
        plural: 'virtualmachineinstancemigrations',
        ...(name.length <= LONGEST_LABEL && { labelSelector: `kubevirt.io/vmi-name=${name}` }),
      }),
    );
    return list?.items ?? [];
  }

  #instance({ namespace, name }: VmiReference): Promise<VirtualMachineInstance | undefined> {
    return request(`get VMI ${namespace}/${name}`, () =>
      this.#custom.getNamespacedCustomObject({ ...KUBEVIRT, namespace, plural: 'virtualmachineinstances', name }),
    );
  }

  async #launcherPods(namespace: string, vmiUid: string): Promise<Pod[]> {
    const list = await request(`list virt-launcher pods of VMI ${vmiUid} in ${namespace}`, () =>
      this.#core.listNamespacedPod({
        namespace,
        labelSelector: `kubevirt.io=virt-launcher,kubevirt.io/created-by=${vmiUid}`,
      }),
    );
    return (list?.items ?? []) as Pod[];
  }
}

/** KUBECONFIG, or the pod's own service account. */
function fromEnvironment(): KubeConfig {
  const config = new KubeConfig();
  try {
    config.loadFromDefault();
  } catch (error) {
    throw new SettingsError(`settings: KUBECONFIG: ${(error as Error).message}`, { cause: error });
  }
  return config;
}

/** Runs one request; `undefined` is a 404. */
async function request<Result>(what: string, send: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await send();
  } catch (error) {
    const status = (error as { code?: unknown }).code;
    if (status === 404) return undefined;
    if (status === 409) throw new LookAgainError(`${what}: it was changed in between`, { cause: error });
    const why = typeof status === 'number' ? `HTTP ${status}` : String((error as Error).message ?? error);
    throw new TryAgainError(`Kubernetes API: ${what}: ${why}`, { cause: error });
  }
}
