import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type KubeConfig, PortForward } from '@kubernetes/client-node';
import type { ClusterApi, KubernetesObject } from './api.ts';
import { KINDS } from './kinds.ts';

export interface Pod extends KubernetesObject {
  readonly spec: {
    readonly hostNetwork?: boolean;
    readonly nodeName?: string;
    readonly containers?: readonly {
      readonly name: string;
      readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
    }[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly hostIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

export interface Service extends KubernetesObject {
  readonly spec: {
    readonly clusterIP?: string;
    readonly selector?: Readonly<Record<string, string>>;
    readonly ports?: readonly { readonly port: number; readonly targetPort?: number | string }[];
  };
}

/** A pod and a port of it, which a port-forward leads to. */
export interface ForwardTarget {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

const SERVICE_HOST = /^(?<name>[a-z0-9-]+)\.(?<namespace>[a-z0-9-]+)\.svc(\..+)?$/;

/** The Service that a host in a remote names; `undefined` where it names none. */
export function serviceOf(host: string): { readonly name: string; readonly namespace: string } | undefined {
  const groups = SERVICE_HOST.exec(host)?.groups;
  return groups && { name: groups.name!, namespace: groups.namespace! };
}

/** Which of the pods answers at a port of a Service. */
export function targetBehind(service: Service, port: number, pods: readonly Pod[]): ForwardTarget | undefined {
  const { namespace = 'default' } = service.metadata;
  const pod = pods.filter((each) => each.metadata.namespace === namespace).find(isReady);
  const entry = service.spec.ports?.find((each) => each.port === port);
  if (pod === undefined || entry === undefined) return undefined;
  const { targetPort = port } = entry;
  const found = typeof targetPort === 'number' ? targetPort : namedPort(pod, targetPort);
  return found === undefined ? undefined : { namespace, pod: pod.metadata.name, port: found };
}

/** Which of the pods has an address, its own or its node's. */
export function targetAt(address: string, port: number, pods: readonly Pod[]): ForwardTarget | undefined {
  const pod = pods.filter(isReady).find(({ spec, status }) => {
    if (status?.podIP !== address && !(spec.hostNetwork && status?.hostIP === address)) return false;
    // Of all that share their node's address, the one that says that it listens there.
    return (
      !spec.hostNetwork || spec.containers?.some(({ ports }) => ports?.some((each) => each.containerPort === port))
    );
  });
  return pod && { namespace: pod.metadata.namespace ?? 'default', pod: pod.metadata.name, port };
}

/**
 * @param host as a remote has it: a Service's name, or the address of a Service, a pod or a node
 * @throws Error where nothing in the cluster is there
 */
export async function findTarget(api: ClusterApi, host: string, port: number): Promise<ForwardTarget> {
  const named = serviceOf(host);
  const service = named
    ? await api.get<Service>(KINDS.services, named.name, named.namespace)
    : (await api.list<Service>(KINDS.services)).find(({ spec }) => spec.clusterIP === host);
  const target = service
    ? targetBehind(service, port, await podsOf(api, service))
    : targetAt(host, port, await api.list<Pod>(KINDS.pods));
  if (target) return target;
  throw new Error(
    service
      ? `Service ${service.metadata.namespace}/${service.metadata.name} has no ready pod at port ${port}`
      : `${host} is no Service and no pod of this cluster`,
  );
}

/** Port-forwards to pods, each behind a port of this machine until the end. */
export class PortForwards implements AsyncDisposable {
  readonly #forward: PortForward;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();

  constructor(config: KubeConfig) {
    this.#forward = new PortForward(config);
  }

  /** @returns a port on 127.0.0.1 */
  async open({ namespace, pod, port }: ForwardTarget): Promise<number> {
    const server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => this.#sockets.delete(socket));
      this.#forward
        .portForward(namespace, pod, [port], socket, null, socket)
        .then((opened) => {
          const tunnel = typeof opened === 'function' ? opened() : opened;
          tunnel?.addEventListener('close', () => socket.destroy());
          socket.once('close', () => tunnel?.close());
        })
        .catch((error: Error) => socket.destroy(error));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

async function podsOf(api: ClusterApi, { metadata, spec }: Service): Promise<readonly Pod[]> {
  const labels = Object.entries(spec.selector ?? {}).map(([key, value]) => `${key}=${value}`);
  if (labels.length === 0) return [];
  return await api.list<Pod>(KINDS.pods, { namespace: metadata.namespace ?? 'default', labels: labels.join(',') });
}

function isReady({ metadata, status }: Pod): boolean {
  if (metadata.deletionTimestamp !== undefined) return false;
  return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;
}

function namedPort({ spec }: Pod, name: string): number | undefined {
  return spec.containers?.flatMap(({ ports }) => ports ?? []).find((port) => port.name === name)?.containerPort;
}
