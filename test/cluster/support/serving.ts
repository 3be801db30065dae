import { setTimeout as sleep } from 'node:timers/promises';
import {
  AppsV1Api,
  CustomObjectsApi,
  type KubeConfig,
  PatchStrategy,
  setHeaderOptions,
  type V1PodSpec,
} from '@kubernetes/client-node';

const SERVICES = { group: 'serving.knative.dev', version: 'v1', namespace: 'ovn-handover', plural: 'services' };
const ROUTES = { ...SERVICES, plural: 'routes' };
const MERGE = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
const LOOK_EVERY_MS = 100;

interface KnativeService {
  readonly metadata: { readonly name: string; readonly generation: number };
  readonly spec: { readonly template: { readonly spec: V1PodSpec } };
  readonly status?: { readonly observedGeneration?: number };
}

/**
 * Stands in for Knative Serving's controller: every Service that is created or changed is ready at once, with a Route and
 * a Deployment, which makes the API server check what is said of its pods.
 */
export class ReadyServices implements AsyncDisposable {
  readonly #api: CustomObjectsApi;
  readonly #apps: AppsV1Api;
  readonly #running: Promise<void>;
  #stopped = false;

  constructor(config: KubeConfig) {
    this.#api = config.makeApiClient(CustomObjectsApi);
    this.#apps = config.makeApiClient(AppsV1Api);
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const services = await this.#services();
      const changed = services.filter(({ metadata, status }) => status?.observedGeneration !== metadata.generation);
      for (const service of changed) await this.#ready(service);
      await sleep(LOOK_EVERY_MS);
    }
  }

  async #services(): Promise<readonly KnativeService[]> {
    const list = this.#api.listNamespacedCustomObject(SERVICES).catch((error) => {
      // The API server is not done yet with a kind that it has just learnt of.
      if (error.code === 429) return { items: [] };
      throw error;
    });
    return (await list).items;
  }

  async #ready({ metadata: { name, generation }, spec }: KnativeService): Promise<void> {
    const url = `http://${name}.${SERVICES.namespace}.svc.cluster.local`;
    const route = { apiVersion: 'serving.knative.dev/v1', kind: 'Route', metadata: { name }, spec: {} };
    await this.#api.createNamespacedCustomObject({ ...ROUTES, body: route }).catch(unlessThere);
    const revision = `${name}-${String(generation).padStart(5, '0')}`;
    await this.#deploy(revision, spec.template.spec);
    const conditions = ['Ready', 'ConfigurationsReady', 'RoutesReady'].map((type) => ({ type, status: 'True' }));
    await this.#status(ROUTES, name, { url });
    await this.#status(SERVICES, name, {
      url,
      conditions,
      observedGeneration: generation,
      latestCreatedRevisionName: revision,
    });
  }

  async #deploy(revision: string, { containers, ...pod }: V1PodSpec): Promise<void> {
    const labels = { 'serving.knative.dev/revision': revision };
    const spec = {
      serviceAccountName: pod.serviceAccountName!,
      volumes: pod.volumes!,
      containers: containers.map((container) => ({ ...container, name: 'user-container' })),
    };
    await this.#apps.createNamespacedDeployment({
      namespace: SERVICES.namespace,
      body: {
        metadata: { name: revision, labels },
        spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
      },
    });
  }

  async #status(kind: typeof SERVICES, name: string, status: object): Promise<void> {
    await this.#api.patchNamespacedCustomObjectStatus({ ...kind, name, body: { status } }, MERGE);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }
}

function unlessThere(error: { code?: unknown }): void {
  if (error.code !== 409) throw error;
}
