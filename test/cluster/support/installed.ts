import { dirname, join } from 'node:path';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { installEventing } from '../../../lab/cluster/eventing.ts';
import { serviceAccountKubeconfig, writeServiceAccounts } from '../../../lab/cluster/service-accounts.ts';
import { ApiServer } from './api-server.ts';

const NAMESPACE = 'ovn-handover';

/** A real API server with the ServiceAccounts, rights and gate of `eventing/`. */
export class Installed implements AsyncDisposable {
  readonly server: ApiServer;
  readonly #serviceAccounts: string;

  static async start(): Promise<Installed> {
    const installed = new Installed(await ApiServer.start());
    const { kubeconfig } = installed.server;
    try {
      await installEventing({ kubeconfig, serviceAccounts: installed.#serviceAccounts, gate: true });
      return installed;
    } catch (error) {
      await installed[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(server: ApiServer) {
    this.server = server;
    this.#serviceAccounts = join(dirname(server.kubeconfig), 'service-accounts');
  }

  /** With the token of one of our ServiceAccounts. */
  account(name: string): KubeConfig {
    const config = new KubeConfig();
    config.loadFromFile(serviceAccountKubeconfig(this.#serviceAccounts, NAMESPACE, name));
    return config;
  }

  /** With the token of a new ServiceAccount beside ours, which nobody has given any right. */
  async newcomer(): Promise<KubeConfig> {
    const { config } = this.server;
    const body = { metadata: { name: 'newcomer' } };
    await config.makeApiClient(CoreV1Api).createNamespacedServiceAccount({ namespace: NAMESPACE, body });
    await writeServiceAccounts(config, NAMESPACE, this.#serviceAccounts);
    return this.account('newcomer');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
  }
}
