import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../lab/free-port.ts';
import { StandIn } from '../../lab/stand-in.ts';
import type { TlsFiles } from '../../packages/ovsdb-client-ts/src/index.ts';
import { Cluster } from '../../testkit/cluster.ts';
import { addChassis, OvnDatabase } from '../../testkit/ovn.ts';
import { Authority, TemporaryDirectory } from '../../testkit/ovsdb.ts';

/**
 * What a function works with, each part a process of its own: OVN's databases, reached by TLS, and the Kubernetes API.
 * Nodes worker-a and worker-b have the chassis chassis-a and chassis-b.
 */
export class Installation implements AsyncDisposable {
  readonly #parts = new AsyncDisposableStack();
  readonly directory: string;
  readonly tls: TlsFiles;
  readonly #server: TlsFiles;
  nb!: OvnDatabase;
  sb!: OvnDatabase;
  cluster!: Cluster;
  /** OVN's syntax for the two databases, by TLS. */
  remotes!: { readonly nb: string; readonly sb: string };

  static async start(): Promise<Installation> {
    const installation = new Installation();
    try {
      await installation.#start();
    } catch (error) {
      await installation.#parts.disposeAsync();
      throw error;
    }
    return installation;
  }

  private constructor() {
    const directory = this.#parts.use(new TemporaryDirectory());
    this.directory = directory.path;
    const authority = new Authority(directory);
    this.#server = authority.issue('server');
    this.tls = authority.issue('client');
  }

  async #start(): Promise<void> {
    const [nb, sb] = [await freePort(), await freePort()];
    this.remotes = { nb: `ssl:127.0.0.1:${nb}`, sb: `ssl:127.0.0.1:${sb}` };
    this.nb = this.#parts.use(await OvnDatabase.start('nb', this.#listen(nb)));
    this.sb = this.#parts.use(await OvnDatabase.start('sb', this.#listen(sb)));
    addChassis(this.sb, 'chassis-a', 'worker-a', '10.0.0.1');
    addChassis(this.sb, 'chassis-b', 'worker-b', '10.0.0.2');
    const program = new URL('../../lab/kubernetes-api/main.ts', import.meta.url);
    const args = ['--kubeconfig', this.kubeconfig];
    const api = await StandIn.start('the Kubernetes API', program, args, join(this.directory, 'kubernetes-api.log'));
    this.#parts.defer(() => api.stop());
    this.cluster = await Cluster.of(readFileSync(this.kubeconfig, 'utf8'), async () => {});
    writeFileSync(this.kubernetesCa, Buffer.from(this.cluster.config.getCurrentCluster()!.caData!, 'base64'));
  }

  get kubeconfig(): string {
    return join(this.directory, 'kubeconfig');
  }

  /** File with the certificate that the Kubernetes API's is checked by. */
  get kubernetesCa(): string {
    return join(this.directory, 'kubernetes-ca.pem');
  }

  /** The environment of a function. */
  settings(step: string): Record<string, string> {
    return {
      ...{ FUNC_STEP: step, KUBECONFIG: this.kubeconfig },
      ...{ OVN_NB_REMOTE: this.remotes.nb, OVN_SB_REMOTE: this.remotes.sb },
      ...{ OVN_CERT: this.tls.cert, OVN_KEY: this.tls.key, OVN_CA: this.tls.ca },
    };
  }

  #listen(port: number): string[] {
    const { cert, key, ca } = this.#server;
    return [`--remote=pssl:${port}:127.0.0.1`, `--certificate=${cert}`, `--private-key=${key}`, `--ca-cert=${ca}`];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
  }
}
