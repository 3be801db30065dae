import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  CoreV1Api,
  CustomObjectsApi,
  DiscoveryV1Api,
  type KubeConfig,
  PatchStrategy,
  setHeaderOptions,
  type V1EndpointSlice,
  type V1Service,
} from '@kubernetes/client-node';
import { type Endpoint, endpointsOf } from './endpoints.ts';
import { type Ingress, isOfClass, isReady, readyStatus } from './ingress.ts';
import { forward } from './proxy.ts';
import { type Destination, Routes } from './routes.ts';
import { type Watching, watching } from './watching.ts';

const INGRESSES = { group: 'networking.internal.knative.dev', version: 'v1alpha1', plural: 'ingresses' };
const SERVICE_OF_SLICE = 'kubernetes.io/service-name';
const MERGE = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);

export interface NetworkLayerOptions {
  readonly config: KubeConfig;
  /** Of the Ingresses that are served. */
  readonly ingressClass: string;
  /** Name in the cluster's DNS of the Service that leads here. */
  readonly address: string;
  /** Is given each request with its end. */
  readonly log: (passage: Passage) => void;
}

/** A request that went through, or did not. */
export interface Passage {
  readonly at: string;
  readonly ms: number;
  readonly host: string;
  readonly to?: string;
  readonly status: number;
  readonly error?: string;
  readonly eventId?: string;
  readonly eventType?: string;
}

/** What Knative Serving asks of a network layer, and no more: its Ingresses are served in plain HTTP to the cluster. */
export class NetworkLayer {
  readonly #options: NetworkLayerOptions;
  readonly #api: CustomObjectsApi;
  readonly #ingresses: Watching<Ingress>;
  readonly #services: Watching<V1Service>;
  readonly #slices: Watching<V1EndpointSlice>;
  readonly #server: Server;
  #routes = new Routes([]);
  #turn = 0;

  constructor(options: NetworkLayerOptions) {
    this.#options = options;
    const { config } = options;
    this.#api = config.makeApiClient(CustomObjectsApi);
    const core = config.makeApiClient(CoreV1Api);
    const discovery = config.makeApiClient(DiscoveryV1Api);
    const { group, version, plural } = INGRESSES;
    this.#ingresses = watching(
      config,
      `/apis/${group}/${version}/${plural}`,
      () => this.#api.listCustomObjectForAllNamespaces({ ...INGRESSES, resourcePlural: plural }),
      () => this.#serveIngresses(),
    );
    this.#services = watching(config, '/api/v1/services', () => core.listServiceForAllNamespaces());
    this.#slices = watching(config, '/apis/discovery.k8s.io/v1/endpointslices', () =>
      discovery.listEndpointSliceForAllNamespaces(),
    );
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  async start(port: number): Promise<void> {
    await Promise.all([this.#services.start(), this.#slices.start()]);
    await this.#ingresses.start();
    this.#server.listen(port);
  }

  /** Ends what is under way first. */
  async stop(): Promise<void> {
    await new Promise((closed) => this.#server.close(closed));
    await Promise.all([this.#ingresses.stop(), this.#services.stop(), this.#slices.stop()]);
  }

  #serveIngresses(): void {
    const ours = this.#ingresses.list().filter((ingress) => isOfClass(ingress, this.#options.ingressClass));
    this.#routes = new Routes(ours);
    for (const ingress of ours.filter((ingress) => !isReady(ingress))) {
      this.#reportReady(ingress).catch((error) => console.error(`${ingress.metadata?.name}: ${error.message}`));
    }
  }

  async #reportReady({ metadata: { name = '', namespace = '', generation } = {} }: Ingress): Promise<void> {
    const status = readyStatus(generation, this.#options.address, new Date());
    await this.#api.patchNamespacedCustomObjectStatus({ ...INGRESSES, namespace, name, body: { status } }, MERGE);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedAt = Date.now();
    const { headers, url = '/' } = request;
    const { host = '' } = headers;
    const destination = this.#routes.find({ host, url, headers }, Math.random());
    const end: { status: number; error?: string } = { status: destination === undefined ? 404 : 503 };
    try {
      const endpoint = destination && this.#endpointOf(destination);
      if (endpoint === undefined) response.writeHead(end.status).end();
      else end.status = await forward(request, response, destination!, endpoint);
    } catch (error) {
      end.error = (error as Error).message;
      if (response.headersSent) response.destroy();
      else response.writeHead(end.status).end();
    }
    this.#options.log({
      at: new Date(startedAt).toISOString(),
      ms: Date.now() - startedAt,
      host,
      ...(destination && { to: destination.split.serviceName }),
      ...end,
      ...(headers['ce-id'] && { eventId: String(headers['ce-id']), eventType: String(headers['ce-type']) }),
    });
  }

  /** Each in its turn. */
  #endpointOf({ split }: Destination): Endpoint | undefined {
    const { serviceNamespace, serviceName } = split;
    const slices = this.#slices
      .list(serviceNamespace)
      .filter(({ metadata }) => metadata?.labels?.[SERVICE_OF_SLICE] === serviceName);
    const endpoints = endpointsOf(split, this.#services.get(serviceName, serviceNamespace), slices);
    return endpoints[this.#turn++ % endpoints.length];
  }
}
