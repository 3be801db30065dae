import { createHash } from 'node:crypto';
import {
  CoreV1Api,
  CustomObjectsApi,
  createConfiguration,
  KubeConfig,
  PatchStrategy,
  ServerConfiguration,
  setHeaderOptions,
} from '@kubernetes/client-node';
import { TryAgainError } from './errors.ts';
import type { KubernetesApi } from './kubernetes.ts';
import type { Pod } from './kubevirt.ts';
import type { Remark } from './remark.ts';
import { SettingsError } from './settings.ts';

const REQUEST_TIMEOUT_MS = 5_000;
const KUBEVIRT = { group: 'kubevirt.io', version: 'v1' } as const;
const MIGRATIONS = { ...KUBEVIRT, plural: 'virtualmachineinstancemigrations' } as const;
/** Longest label value; KubeVirt labels a VMIM with the name of its VMI. */
const LONGEST_LABEL = 63;

/**
 * The Kubernetes API over HTTP.
 * @param userAgent names the function in the API server's audit log
 * @throws SettingsError when there is no usable kubeconfig
 */
export function kubernetesClient(userAgent: string, config: KubeConfig = fromEnvironment()): KubernetesApi {
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
  const core = new CoreV1Api(configuration);
  const custom = new CustomObjectsApi(configuration);
  return {
    async listMigrations(vmi) {
      if (vmi === undefined) {
        const request = { ...MIGRATIONS, resourcePlural: MIGRATIONS.plural };
        return itemsOf(await send('list VMIMs', () => custom.listCustomObjectForAllNamespaces(request)));
      }
      const { namespace, name } = vmi;
      const labelSelector = name.length <= LONGEST_LABEL ? { labelSelector: `kubevirt.io/vmi-name=${name}` } : {};
      return itemsOf(
        await send(`list VMIMs of VMI ${namespace}/${name}`, () =>
          custom.listNamespacedCustomObject({ ...MIGRATIONS, namespace, ...labelSelector }),
        ),
      );
    },
    getVmi({ namespace, name }) {
      const request = { ...KUBEVIRT, namespace, plural: 'virtualmachineinstances', name };
      return send(`get VMI ${namespace}/${name}`, () => custom.getNamespacedCustomObject(request));
    },
    async listLauncherPods(namespace, vmiUid) {
      const labelSelector = `kubevirt.io=virt-launcher,kubevirt.io/created-by=${vmiUid}`;
      return itemsOf<Pod>(
        await send(`list virt-launcher pods of VMI ${vmiUid} in ${namespace}`, () =>
          core.listNamespacedPod({ namespace, labelSelector }),
        ),
      );
    },
    async patchPod({ metadata: { namespace, name } }, patch) {
      const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
      const outcome = await send(`patch pod ${namespace}/${name}`, () =>
        core.patchNamespacedPod({ namespace, name, body: patch }, merge).then(
          () => 'patched' as const,
          (error) => {
            if (error.code === 409) return 'conflict' as const;
            throw error;
          },
        ),
      );
      return outcome ?? 'gone';
    },
    async createEvent(vmi, component, remark) {
      const now = new Date();
      await send(`create event for VMI ${vmi.namespace}/${vmi.name}`, () =>
        core
          .createNamespacedEvent({
            namespace: vmi.namespace,
            body: {
              metadata: { name: eventName(vmi, component, remark), namespace: vmi.namespace },
              involvedObject: { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance', ...vmi },
              ...remark,
              source: { component },
              reportingComponent: `ovn-handover.dev/${component}`,
              reportingInstance: component,
              firstTimestamp: now,
              lastTimestamp: now,
              count: 1,
            },
          })
          .catch((error) => {
            if (error.code !== 409) throw error;
          }),
      );
    },
  };
}

/** The same line about the same VMI has the same name, so that it is told once however often an event comes. */
function eventName(vmi: { readonly name: string; readonly uid: string }, component: string, remark: Remark): string {
  const hash = createHash('sha256').update(JSON.stringify([vmi.uid, component, remark.reason, remark.message]));
  return `${vmi.name}.${hash.digest('hex').slice(0, 16)}`;
}

/** KUBECONFIG, or the pod's own service account. */
function fromEnvironment(): KubeConfig {
  // The library would fall back to a server on this host, which nobody means.
  if (!process.env.KUBECONFIG && !process.env.KUBERNETES_SERVICE_HOST) {
    throw new SettingsError('settings: KUBECONFIG must be set outside a cluster');
  }
  const config = new KubeConfig();
  try {
    config.loadFromDefault();
  } catch (error) {
    throw new SettingsError(`settings: KUBECONFIG: ${(error as Error).message}`, { cause: error });
  }
  return config;
}

/** Sends one request; `undefined` is a 404. */
async function send<Result>(what: string, request: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await request();
  } catch (error) {
    const status = (error as { code?: unknown }).code;
    if (status === 404) return undefined;
    const why = typeof status === 'number' ? `HTTP ${status}` : String((error as Error).message ?? error);
    throw new TryAgainError(`Kubernetes API: ${what}: ${why}`, { cause: error });
  }
}

function itemsOf<Item>(list: { readonly items?: readonly unknown[] } | undefined): readonly Item[] {
  return (list?.items ?? []) as readonly Item[];
}
