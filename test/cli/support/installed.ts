import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig, type KubernetesObject, KubernetesObjectApi } from '@kubernetes/client-node';
import { freePort } from '../../../lab/free-port.ts';
import { type KubernetesApi, startKubernetesApi } from '../../../lab/kubernetes-api/server.ts';
import { Authority } from '../../../packages/ovsdb-client-ts/test/support/certificates.ts';
import { TemporaryDirectory } from '../../../packages/ovsdb-client-ts/test/support/server.ts';
import { Cluster } from '../../../testkit/cluster.ts';
import { addChassis, OvnDatabase } from '../../../testkit/ovn.ts';
import { type CliOptions, cli, type Ran } from './cli.ts';

/** A cluster of the stand-in API server and OVN's databases, with the settings of an installation in it. */
export class Installed implements AsyncDisposable {
  readonly api: KubernetesApi;
  readonly cluster: Cluster;
  readonly nb: OvnDatabase;
  readonly sb: OvnDatabase;
  readonly kubeconfig: string;
  readonly objects: KubernetesObjectApi;
  readonly #directory: string;
  /** The server reads its own again for each connection. */
  #authority: Authority | undefined;
  #certificates: Disposable | undefined;

  private constructor(api: KubernetesApi, cluster: Cluster, nb: OvnDatabase, sb: OvnDatabase) {
    this.api = api;
    this.cluster = cluster;
    this.nb = nb;
    this.sb = sb;
    this.#directory = mkdtempSync(join(tmpdir(), 'handover-cli-'));
    this.kubeconfig = join(this.#directory, 'kubeconfig');
    writeFileSync(this.kubeconfig, api.kubeconfig);
    const config = new KubeConfig();
    config.loadFromString(api.kubeconfig);
    this.objects = KubernetesObjectApi.makeApiClient(config);
  }

  /**
   * worker-a and worker-b have a chassis each; the ConfigMap names the databases, of which northbound is asked for by TLS,
   * with the certificates of the Secret.
   */
  static async start(): Promise<Installed> {
    const directory = new TemporaryDirectory();
    const authority = new Authority(directory);
    const server = authority.issue('server');
    const port = await freePort();
    const tls = [
      `--remote=pssl:${port}:127.0.0.1`,
      ...[`--certificate=${server.cert}`, `--private-key=${server.key}`, `--ca-cert=${server.ca}`],
    ];
    const [nb, sb, api] = await Promise.all([
      OvnDatabase.start('nb', tls),
      OvnDatabase.start('sb'),
      startKubernetesApi(),
    ]);
    const cluster = await Cluster.of(api.kubeconfig, () => api.close());
    const installed = new Installed(api, cluster, nb, sb);
    installed.#authority = authority;
    installed.#certificates = directory;
    addChassis(sb, 'chassis-a', 'worker-a', '10.0.0.1');
    addChassis(sb, 'chassis-b', 'worker-b', '10.0.0.2');
    await installed.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ovn-handover' } });
    await installed.create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'ovn-handover', namespace: 'ovn-handover' },
      data: { OVN_NB_REMOTE: `ssl:127.0.0.1:${port}`, OVN_SB_REMOTE: sb.remote, OVN_PROFILE: 'kube-ovn' },
    } as KubernetesObject);
    await installed.create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'ovn-client-tls', namespace: 'ovn-handover' },
      data: installed.issue(90),
    } as KubernetesObject);
    return installed;
  }

  /** A certificate that OVN northbound takes, for so many days: what the Secret holds. */
  issue(days: number): Readonly<Record<string, string>> {
    const { cert, key, ca } = this.#authority!.issue('client', days);
    return { cert: base64(cert), key: base64(key), cacert: base64(ca) };
  }

  /** @throws ApiException as the API server has it */
  async create(object: KubernetesObject): Promise<void> {
    await this.objects.create(object);
  }

  cli(...args: string[]): Promise<Ran> {
    return this.cliAs({}, ...args);
  }

  cliAs(options: Partial<CliOptions>, ...args: string[]): Promise<Ran> {
    return cli({ kubeconfig: this.kubeconfig, ...options }, ...args);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.nb, this.sb, this.cluster].map((part) => part[Symbol.asyncDispose]()));
    this.#certificates?.[Symbol.dispose]();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

function base64(file: string): string {
  return readFileSync(file).toString('base64');
}
