import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { startCluster } from '../../../lab/cluster/cluster.ts';
import { knativeKinds } from '../../../lab/cluster/knative-kinds.ts';
import { kubectl } from '../../../lab/cluster/kubectl.ts';

/** A real API server with the kinds of KubeVirt and Knative, for one file of tests. */
export class ApiServer implements AsyncDisposable {
  readonly kubeconfig: string;
  readonly config: KubeConfig;
  readonly #end: () => Promise<void>;

  static async start(): Promise<ApiServer> {
    const directory = await mkdtemp(join(tmpdir(), 'handover-cluster-'));
    const kubeconfig = join(directory, 'kubeconfig');
    const cluster = await startCluster({ directory, kubeconfig });
    const server = new ApiServer(kubeconfig, await readFile(kubeconfig, 'utf8'), async () => {
      await cluster.stop();
      await rm(directory, { recursive: true });
    });
    // Larger than what the annotation of a client-side apply takes.
    const files = (await knativeKinds()).flatMap((file) => ['-f', file]);
    await server.kubectl('apply', '--server-side', ...files);
    await server.kubectl('wait', '--for=condition=Established', 'crd', '--all');
    return server;
  }

  private constructor(kubeconfig: string, content: string, end: () => Promise<void>) {
    this.kubeconfig = kubeconfig;
    this.config = new KubeConfig();
    this.config.loadFromString(content);
    this.#end = end;
  }

  /** @throws CommandError with what kubectl said */
  kubectl(...args: readonly string[]): Promise<string> {
    return kubectl(this.kubeconfig, ...args);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }
}
