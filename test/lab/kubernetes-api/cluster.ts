import { CoreV1Api, CustomObjectsApi, KubeConfig, Watch } from '@kubernetes/client-node';
import {
  type KubernetesApi,
  type KubernetesApiOptions,
  startKubernetesApi,
} from '../../../lab/kubernetes-api/server.ts';

/** An API server with namespace `prod`, and the real client's ways to it. */
export interface Cluster extends AsyncDisposable {
  readonly api: KubernetesApi;
  readonly config: KubeConfig;
  readonly core: CoreV1Api;
  readonly custom: CustomObjectsApi;
  readonly watch: Watch;
}

export async function startCluster(options?: KubernetesApiOptions): Promise<Cluster> {
  const api = await startKubernetesApi(options);
  const config = new KubeConfig();
  config.loadFromString(api.kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  await core.createNamespace({ body: { metadata: { name: 'prod' } } });
  return {
    api,
    config,
    core,
    custom: config.makeApiClient(CustomObjectsApi),
    watch: new Watch(config),
    [Symbol.asyncDispose]: () => api.close(),
  };
}

export const vmis = {
  group: 'kubevirt.io',
  version: 'v1',
  namespace: 'prod',
  plural: 'virtualmachineinstances',
};

export const vmims = { ...vmis, plural: 'virtualmachineinstancemigrations' };

/** Matches an ApiException of client-node. `part` is a part of the Status that it carries as text. */
export const apiException = (code: number, part = '') =>
  expect.objectContaining({ code, body: expect.stringContaining(part) });
