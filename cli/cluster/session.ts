import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeConfig } from '@kubernetes/client-node';
import { OvsdbClient } from 'ovsdb-client-ts';
import type { Settings } from '../../functions/settings.ts';
import { SettingsError } from '../../handover/decision/errors.ts';
import { profileOf } from '../../handover/decision/profile.ts';
import { kubernetesClient } from '../../handover/kubernetes/client.ts';
import { type Exchange, httpsExchange } from '../../handover/kubernetes/http.ts';
import { Kubernetes } from '../../handover/kubernetes/kubernetes.ts';
import type { World } from '../../handover/observe.ts';
import { Southbound } from '../../handover/ovn/southbound.ts';
import { CommandError, EXIT } from '../errors.ts';
import { ClusterApi } from './api.ts';
import { type KubeconfigOptions, loadKubeconfig } from './kubeconfig.ts';
import { NorthboundOfMany } from './northbound.ts';
import { connectToOvn, type Way } from './ovn-connection.ts';
import { PortForwards } from './port-forward.ts';
import { CertificateFiles, type Data, functionSettings, notInstalled, readInstalled } from './settings.ts';

export interface SessionOptions extends KubeconfigOptions {
  readonly ovn: Way;
}

/** What functions work with, and a command that is about all VMs. */
export interface WorldOfMany extends World {
  readonly northbound: NorthboundOfMany;
}

/** One command's way to a cluster and its OVN; all that it opened ends with it. */
export class Session implements AsyncDisposable {
  readonly config: KubeConfig;
  readonly api: ClusterApi;
  readonly exchange: Exchange;
  readonly #way: Way;
  readonly #open = new AsyncDisposableStack();

  constructor(options: SessionOptions, env: NodeJS.ProcessEnv) {
    this.config = loadKubeconfig(options, env);
    this.exchange = httpsExchange('ovn-handover/cli', this.config);
    this.api = new ClusterApi(this.exchange);
    this.#way = options.ovn;
  }

  get context(): string {
    return this.config.getCurrentContext();
  }

  /** The context's namespace. */
  get namespace(): string {
    return this.config.getContextObject(this.context)?.namespace ?? 'default';
  }

  get server(): string {
    return this.config.getCurrentCluster()!.server;
  }

  /** The world of the functions of the installation in the cluster. */
  async world(): Promise<WorldOfMany> {
    const { settings, certificates } = await readInstalled(this.api);
    if (settings === undefined) throw notInstalled();
    const database = await this.databases(settings, certificates ?? {});
    const profile = profileOf(database.settings.OVN_PROFILE, database.settings.OVN_PORT_NAME);
    return {
      northbound: new NorthboundOfMany(database.client('OVN_Northbound'), profile),
      southbound: new Southbound(database.client('OVN_Southbound')),
      kubernetes: new Kubernetes(kubernetesClient(this.exchange)),
      profile,
      activationStrategy: database.settings.OVN_ACTIVATION_STRATEGY,
      sleep,
    };
  }

  /** @throws CommandError for settings that no function would start with */
  async databases(data: Data, certificates: Data): Promise<Databases> {
    const { folder } = this.#open.use(await CertificateFiles.write(certificates));
    let settings: Settings;
    try {
      settings = functionSettings(data, folder);
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      throw new CommandError(EXIT.found, `the ConfigMap of the installation: ${error.message}`, { cause: error });
    }
    const { OVN_CERT: cert, OVN_KEY: key, OVN_CA: ca } = settings;
    const tls = cert && key && ca ? { cert, key, ca } : undefined;
    const connect = connectToOvn(tls, this.#way, this.api, this.#open.use(new PortForwards(this.config)));
    const remotes = { OVN_Northbound: settings.OVN_NB_REMOTE, OVN_Southbound: settings.OVN_SB_REMOTE, _Server: '' };
    return {
      settings,
      client: (database, { remote = remotes[database], ...options } = {}) =>
        this.#open.use(new OvsdbClient({ remote, database, connect, ...options })),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#open.disposeAsync();
  }
}

export interface Databases {
  readonly settings: Settings;
  /** @param options `remote`: one server in place of all of them */
  client(
    database: 'OVN_Northbound' | 'OVN_Southbound' | '_Server',
    options?: { readonly remote?: string; readonly leaderOnly?: boolean; readonly connectTimeoutMs?: number },
  ): OvsdbClient;
}
