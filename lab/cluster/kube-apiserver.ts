import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Background } from '../background.ts';
import { freePort } from '../free-port.ts';
import { selfSignedCertificate } from '../kubernetes-api/certificate.ts';
import { kubeconfigYaml } from '../kubernetes-api/kubeconfig.ts';
import { run } from '../testbed/command.ts';
import { binary } from './binaries.ts';
import { kubectl } from './kubectl.ts';

const AUDIT_POLICY = fileURLToPath(new URL('audit-policy.yaml', import.meta.url));
const READY_WITHIN_MS = 120_000;
const PROBE_EVERY_MS = 200;
const GRACE_MS = 10_000;

export interface KubeApiserverOptions {
  /** URL of etcd. */
  readonly etcd: string;
  /** Of its certificate, keys and log. */
  readonly directory: string;
  /** Where the kubeconfig of an administrator goes. */
  readonly kubeconfig: string;
  /** Where the audit log goes: a line of JSON per request of our own ServiceAccounts. */
  readonly audit?: string;
}

/** A kube-apiserver on 127.0.0.1, with TLS, RBAC and ServiceAccount tokens. */
export class KubeApiserver {
  /** `https://127.0.0.1:PORT` */
  readonly url: string;
  readonly #process: Background;

  /**
   * Resolves when it is ready.
   * @throws Error when it ends before, or is not ready within two minutes
   */
  static async start(options: KubeApiserverOptions): Promise<KubeApiserver> {
    const url = `https://127.0.0.1:${await freePort()}`;
    const files = await credentials(url, options);
    const log = join(options.directory, 'kube-apiserver.log');
    const args = [...flags(url, files, options), ...(await admissionPolicyFlags())];
    const process = new Background({ file: binary('kube-apiserver'), args, env: {} }, log);
    const server = new KubeApiserver(url, process);
    await server.#ready(options.kubeconfig, log).catch(async (error) => {
      await server.stop();
      throw error;
    });
    return server;
  }

  private constructor(url: string, process: Background) {
    this.url = url;
    this.#process = process;
  }

  async stop(): Promise<void> {
    await this.#process.stop(GRACE_MS);
  }

  async #ready(kubeconfig: string, log: string): Promise<void> {
    let end: string | undefined;
    void this.#process.ended.then((how) => {
      end = how;
    });
    for (const giveUpAt = Date.now() + READY_WITHIN_MS; ; await sleep(PROBE_EVERY_MS)) {
      if (end !== undefined) throw new Error(`kube-apiserver ended before it was ready: ${end} (${log})`);
      const answer = await kubectl(kubeconfig, 'get', '--raw', '/readyz').catch((error: Error) => error);
      if (answer === 'ok') return;
      if (Date.now() > giveUpAt) throw new Error(`kube-apiserver is not ready: ${answer} (${log})`);
    }
  }
}

type Files = Readonly<Record<'certificate' | 'key' | 'accountsKey' | 'accountsPublicKey' | 'tokens', string>>;

/** Writes keys, certificate and the administrator's kubeconfig. */
async function credentials(url: string, { directory, kubeconfig }: KubeApiserverOptions): Promise<Files> {
  const { cert, key } = await selfSignedCertificate();
  const accounts = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
  });
  const token = randomBytes(24).toString('hex');
  const write = async (file: string, content: string) => {
    await writeFile(file, content, { mode: 0o600 });
    return file;
  };
  const files = {
    certificate: await write(join(directory, 'tls.crt'), cert),
    key: await write(join(directory, 'tls.key'), key),
    accountsKey: await write(join(directory, 'accounts.key'), accounts.privateKey),
    accountsPublicKey: await write(join(directory, 'accounts.pub'), accounts.publicKey),
    tokens: await write(join(directory, 'tokens.csv'), `${token},administrator,administrator,system:masters\n`),
  };
  await write(kubeconfig, kubeconfigYaml(url, cert, token));
  return files;
}

function flags(url: string, files: Files, { etcd, directory, audit }: KubeApiserverOptions): string[] {
  return [
    `--etcd-servers=${etcd}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${new URL(url).port}`,
    '--advertise-address=127.0.0.1',
    // It would not make Endpoints of a loopback address.
    '--endpoint-reconciler-type=none',
    '--service-cluster-ip-range=10.0.0.0/24',
    `--cert-dir=${directory}`,
    `--tls-cert-file=${files.certificate}`,
    `--tls-private-key-file=${files.key}`,
    '--anonymous-auth=false',
    '--authorization-mode=RBAC',
    `--token-auth-file=${files.tokens}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-signing-key-file=${files.accountsKey}`,
    `--service-account-key-file=${files.accountsPublicKey}`,
    // It wants of each pod a ServiceAccount that kube-controller-manager makes, which is not here.
    '--disable-admission-plugins=ServiceAccount',
    ...(audit === undefined ? [] : [`--audit-policy-file=${AUDIT_POLICY}`, `--audit-log-path=${audit}`]),
  ];
}

/** MutatingAdmissionPolicy is on by default since Kubernetes 1.36, and can be switched on as v1beta1 since 1.34. */
export async function admissionPolicyFlags(): Promise<string[]> {
  const version = await run(binary('kube-apiserver'), ['--version']);
  const minor = Number(/ v1\.(\d+)/.exec(version)?.[1]);
  if (!(minor >= 34)) throw new Error(`${version} has no MutatingAdmissionPolicy: take Kubernetes 1.34 or newer.`);
  if (minor >= 36) return [];
  return ['--feature-gates=MutatingAdmissionPolicy=true', '--runtime-config=admissionregistration.k8s.io/v1beta1=true'];
}
