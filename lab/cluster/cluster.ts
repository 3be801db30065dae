import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Etcd } from './etcd.ts';
import { KubeApiserver } from './kube-apiserver.ts';
import { kubectl } from './kubectl.ts';

const KINDS = fileURLToPath(new URL('crds', import.meta.url));

export interface ClusterOptions {
  /** Of sockets, certificates and logs. */
  readonly directory: string;
  /** Where the kubeconfig of an administrator goes. */
  readonly kubeconfig: string;
  /** Where kube-apiserver's audit log of our own ServiceAccounts goes. */
  readonly audit?: string;
}

/** A real Kubernetes API, with KubeVirt's and Knative's kinds, and nothing that acts on any object. */
export interface RunningCluster {
  /** `https://127.0.0.1:PORT` */
  readonly url: string;
  stop(): Promise<void>;
}

export async function startCluster({ directory, ...options }: ClusterOptions): Promise<RunningCluster> {
  await mkdir(directory, { recursive: true });
  const etcd = await Etcd.start(directory);
  const started: { stop(): Promise<void> }[] = [etcd];
  const stop = async () => {
    for (const part of started.splice(0).reverse()) await part.stop();
  };
  try {
    const server = await KubeApiserver.start({ ...options, directory, etcd: etcd.url });
    started.push(server);
    await kubectl(options.kubeconfig, 'apply', '--recursive', '-f', KINDS);
    await kubectl(options.kubeconfig, 'wait', '--for=condition=Established', 'crd', '--all');
    return { url: server.url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
