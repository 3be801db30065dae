import { createHash } from 'node:crypto';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Remark } from '../decision/events.ts';
import type { VirtualMachineInstance, VmiReference } from '../decision/kubevirt.ts';
import { KubernetesHttp } from './http.ts';
import type { KubernetesApi } from './kubernetes.ts';

const CORE = ['api', 'v1', 'namespaces'] as const;
const KUBEVIRT = ['apis', 'kubevirt.io', 'v1'] as const;
const MIGRATIONS = 'virtualmachineinstancemigrations';
/** Longest label value; KubeVirt labels a VMIM with the name of its VMI. */
const LONGEST_LABEL = 63;

/**
 * The Kubernetes API over HTTP.
 * @param userAgent names the function in the API server's audit log
 * @throws SettingsError when there is no usable kubeconfig
 */
export function kubernetesClient(userAgent: string, config?: KubeConfig): KubernetesApi {
  const http = new KubernetesHttp(userAgent, config);

  async function list<Item>(what: string, path: readonly string[], labelSelector?: string): Promise<readonly Item[]> {
    const query = labelSelector === undefined ? {} : { labelSelector };
    const result = await http.send<{ readonly items: readonly Item[] }>({ what, path, query });
    return typeof result === 'string' ? [] : result.items;
  }

  return {
    listMigrations(vmi) {
      if (vmi === undefined) return list('list VMIMs', [...KUBEVIRT, MIGRATIONS]);
      const { namespace, name } = vmi;
      return list(
        `list VMIMs of VMI ${namespace}/${name}`,
        [...KUBEVIRT, 'namespaces', namespace, MIGRATIONS],
        name.length <= LONGEST_LABEL ? `kubevirt.io/vmi-name=${name}` : undefined,
      );
    },
    async getVmi({ namespace, name }) {
      const path = [...KUBEVIRT, 'namespaces', namespace, 'virtualmachineinstances', name];
      const result = await http.send<VirtualMachineInstance>({ what: `get VMI ${namespace}/${name}`, path });
      return typeof result === 'string' ? undefined : result;
    },
    listLauncherPods(namespace, vmiUid) {
      return list(
        `list virt-launcher pods of VMI ${vmiUid} in ${namespace}`,
        [...CORE, namespace, 'pods'],
        `kubevirt.io=virt-launcher,kubevirt.io/created-by=${vmiUid}`,
      );
    },
    async patchPod({ metadata: { namespace, name } }, patch) {
      const what = `patch pod ${namespace}/${name}`;
      const result = await http.send({ what, method: 'PATCH', path: [...CORE, namespace, 'pods', name], body: patch });
      return result === 'gone' || result === 'conflict' ? result : 'patched';
    },
    async createEvent(vmi, component, remark) {
      const { namespace, name } = vmi;
      await http.send({
        what: `create event for VMI ${namespace}/${name}`,
        method: 'POST',
        path: [...CORE, namespace, 'events'],
        body: eventOf(vmi, component, remark),
      });
    },
  };
}

function eventOf(vmi: VmiReference & { readonly uid: string }, component: string, remark: Remark): object {
  const now = new Date();
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: eventName(vmi, component, remark), namespace: vmi.namespace },
    involvedObject: { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance', ...vmi },
    ...remark,
    source: { component },
    reportingComponent: `ovn-handover.dev/${component}`,
    reportingInstance: component,
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
  };
}

/** The same line about the same VMI has the same name, so that it is told once however often an event comes. */
function eventName(vmi: { readonly name: string; readonly uid: string }, component: string, remark: Remark): string {
  const hash = createHash('sha256').update(JSON.stringify([vmi.uid, component, remark.reason, remark.message]));
  return `${vmi.name}.${hash.digest('hex').slice(0, 16)}`;
}
