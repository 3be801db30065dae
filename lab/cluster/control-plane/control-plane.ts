import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Background } from '../../background.ts';
import { run, runIn } from '../../testbed/command.ts';
import { API_ADDRESS, API_PORT, POD_SUBNET, SERVICE_SUBNET } from '../addresses.ts';
import { binary } from '../binaries.ts';
import { type ClusterDescription, fabricOf } from '../description.ts';
import { Etcd } from '../etcd.ts';
import { admissionPolicyFlags } from '../kube-apiserver.ts';
import { kubectlIn } from '../kubectl.ts';
import { writePki } from './pki.ts';

const READY_WITHIN_MS = 120_000;
const PROBE_EVERY_MS = 200;
/** Nothing of it is kept. */
const GRACE_MS = 500;

/** etcd, kube-apiserver, kube-controller-manager and kube-scheduler, processes in the fabric's namespace. */
export class ControlPlane {
  readonly #cluster: ClusterDescription;
  readonly #parts: { stop(graceMs: number): Promise<void> }[] = [];

  /** Resolves when the API server is ready. */
  static async start(cluster: ClusterDescription): Promise<ControlPlane> {
    const controlPlane = new ControlPlane(cluster);
    try {
      await controlPlane.#start();
    } catch (error) {
      await controlPlane.stop();
      throw error;
    }
    return controlPlane;
  }

  private constructor(cluster: ClusterDescription) {
    this.#cluster = cluster;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#parts.splice(0).map((part) => part.stop(GRACE_MS)));
  }

  async #start(): Promise<void> {
    const { directory, nodes } = this.#cluster;
    const pki = join(directory, 'pki');
    await writePki(pki, nodes);
    await this.#joinNodesNetwork();
    const etcd = await Etcd.start(directory);
    this.#parts.push(etcd);
    const server = this.#run('kube-apiserver', [...apiServerFlags(pki, etcd.url), ...(await admissionPolicyFlags())]);
    await this.#ready(server);
    this.#run('kube-controller-manager', [
      ...clientFlags(pki, 'kube-controller-manager'),
      `--service-account-private-key-file=${pki}/service-accounts.key`,
      `--root-ca-file=${pki}/ca.crt`,
      '--use-service-account-credentials',
      `--cluster-signing-cert-file=${pki}/ca.crt`,
      `--cluster-signing-key-file=${pki}/ca.key`,
      `--cluster-cidr=${POD_SUBNET}`,
    ]);
    this.#run('kube-scheduler', clientFlags(pki, 'kube-scheduler'));
  }

  /** The API server has to reach webhooks, and pods have to reach it and OVN's databases. */
  async #joinNodesNetwork(): Promise<void> {
    const fabric = fabricOf(this.#cluster.testbed);
    await run('ip', ['-n', fabric, 'address', 'add', `${API_ADDRESS}/24`, 'dev', 'migrations']);
    await runIn(fabric, 'sysctl', ['-qw', 'net.ipv4.ip_forward=1', 'net.ipv4.conf.all.rp_filter=0']);
    for (const { podSubnet, address } of this.#cluster.nodes) {
      await run('ip', ['-n', fabric, 'route', 'add', podSubnet, 'via', address]);
    }
  }

  #run(name: string, flags: readonly string[]): Background {
    const { testbed, logs } = this.#cluster;
    const args = ['netns', 'exec', fabricOf(testbed), 'nice', '-n', '2', binary(name), ...flags];
    const part = new Background({ file: 'ip', args, env: process.env }, join(logs, `${name}.log`));
    this.#parts.push(part);
    return part;
  }

  async #ready(server: Background): Promise<void> {
    let end: string | undefined;
    void server.ended.then((how) => {
      end = how;
    });
    for (const giveUpAt = Date.now() + READY_WITHIN_MS; ; await sleep(PROBE_EVERY_MS)) {
      if (end !== undefined) throw new Error(`kube-apiserver ended before it was ready: ${end}; see its log.`);
      const answer = await kubectlIn(this.#cluster, 'get', '--raw', '/readyz').catch((error: Error) => error);
      if (answer === 'ok') return;
      if (Date.now() > giveUpAt) throw new Error(`kube-apiserver is not ready: ${answer}`);
    }
  }
}

function clientFlags(pki: string, name: string): string[] {
  const kubeconfig = `${pki}/${name}.kubeconfig`;
  return [
    ...['kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig'].map((flag) => `--${flag}=${kubeconfig}`),
    '--leader-elect=false',
    '--profiling=false',
  ];
}

function apiServerFlags(pki: string, etcd: string): string[] {
  return [
    `--etcd-servers=${etcd}`,
    `--secure-port=${API_PORT}`,
    `--advertise-address=${API_ADDRESS}`,
    `--tls-cert-file=${pki}/apiserver.crt`,
    `--tls-private-key-file=${pki}/apiserver.key`,
    `--client-ca-file=${pki}/ca.crt`,
    `--kubelet-client-certificate=${pki}/apiserver-kubelet.crt`,
    `--kubelet-client-key=${pki}/apiserver-kubelet.key`,
    `--kubelet-certificate-authority=${pki}/ca.crt`,
    '--kubelet-preferred-address-types=InternalIP',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-signing-key-file=${pki}/service-accounts.key`,
    `--service-account-key-file=${pki}/service-accounts.pub`,
    // KubeVirt's subresources (migrate among them) come by an aggregated API.
    `--requestheader-client-ca-file=${pki}/front-proxy-ca.crt`,
    '--requestheader-allowed-names=front-proxy',
    '--requestheader-username-headers=X-Remote-User',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    `--proxy-client-cert-file=${pki}/front-proxy.crt`,
    `--proxy-client-key-file=${pki}/front-proxy.key`,
    // The control plane's namespace has no kube-proxy, so webhooks are reached by the addresses of their pods.
    '--enable-aggregator-routing=true',
    `--service-cluster-ip-range=${SERVICE_SUBNET}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged=true',
    '--profiling=false',
  ];
}
