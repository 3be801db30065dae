import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubernetesObject } from '@kubernetes/client-node';
import { Broker } from '../../../lab/knative/broker.ts';
import { readFunctions } from '../../../lab/knative/func-yaml.ts';
import type { Manifest } from '../../../lab/knative/manifests.ts';
import { Serving } from '../../../lab/knative/serving.ts';
import type { Installed } from './installed.ts';
import { objectsIn } from './overlay.ts';

const NAMESPACE = 'ovn-handover';
const STEPS = ['reuse-port', 'enable-dual-chassis', 'disable-dual-chassis', 'release-port', 'reconcile'];
/** Of `Installed` itself. */
const SETTINGS = ['ConfigMap ovn-handover', 'Secret ovn-client-tls'];
const READY = { conditions: [{ type: 'Ready', status: 'True' }] };

type Any = KubernetesObject & Record<string, unknown>;

const inNamespace = (namespace: string, apiVersion: string, kind: string, name: string, rest: object = {}): Any => ({
  apiVersion,
  kind,
  metadata: { name, namespace },
  ...rest,
});

const deployment = (namespace: string, name: string, container: object = {}, replicas = 2): Any =>
  inNamespace(namespace, 'apps/v1', 'Deployment', name, {
    spec: { replicas, template: { spec: { containers: [{ name, ...container }] } } },
  });

/** What a healthy cluster has beside our own manifests, as far as doctor looks at it. */
function surroundings(): Any[] {
  return [
    ...['worker-a', 'worker-b'].map((name) => ({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels: { 'kubevirt.io/schedulable': 'true' } },
    })),
    ...['knative-serving', 'knative-eventing'].map((name) => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { 'app.kubernetes.io/version': '1.22.2' } },
    })),
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kubevirt' } },
    inNamespace('kubevirt', 'kubevirt.io/v1', 'KubeVirt', 'kubevirt', {
      status: { phase: 'Deployed', observedKubeVirtVersion: 'v1.7.0' },
    }),
    inNamespace('knative-serving', 'v1', 'ConfigMap', 'config-network', {
      data: { 'mesh-compatibility-mode': 'disabled' },
    }),
    deployment('knative-serving', 'activator'),
    ...['imc-dispatcher', 'mt-broker-ingress', 'mt-broker-filter'].map((name) => deployment('knative-eventing', name)),
    deployment('kube-system', 'kube-ovn-controller', { args: ['--enable-live-migration-optimize=false'] }),
  ];
}

/** The Services that func makes, and what Knative makes of our manifests. */
function deployed(): Any[] {
  return [
    ...STEPS.map((name) =>
      inNamespace(NAMESPACE, 'serving.knative.dev/v1', 'Service', name, {
        spec: { template: { metadata: { annotations: { 'autoscaling.knative.dev/min-scale': '0' } } } },
        status: READY,
      }),
    ),
    deployment(NAMESPACE, 'apiserversource-migrations', {
      env: [{ name: 'K_SOURCE_CONFIG', value: JSON.stringify({ namespaces: ['default', 'prod'] }) }],
    }),
  ];
}

/** Puts an overlay and its gate into a cluster, with all Ready, in place of the settings that were there. */
export async function installWhole(installed: Installed, overlay = 'overlays/kube-ovn'): Promise<void> {
  const manifests = [...(await objectsIn(overlay)), ...(await objectsIn('components/scheduling-gate'))] as Any[];
  const own = manifests
    .filter(({ kind, metadata }) => kind !== 'Namespace' && !SETTINGS.includes(`${kind} ${metadata?.name}`))
    .map((object) =>
      String(object.apiVersion).includes('.knative.dev/') ? { ...object, status: statusOf(object) } : object,
    );
  for (const object of [...surroundings(), ...own, ...deployed()]) await installed.create(object);
}

function statusOf({ kind, metadata }: Any): object {
  if (kind !== 'Broker') return READY;
  const url = `http://broker-ingress.knative-eventing.svc.cluster.local/${NAMESPACE}/${metadata?.name}`;
  return { ...READY, address: { url } };
}

/** The way of an event: the stand-ins of Knative's broker and activator, and the built function `reconcile`. */
export class Way implements AsyncDisposable {
  readonly #broker: Broker;
  readonly #serving: Serving;
  readonly #folder: string;

  private constructor(broker: Broker, serving: Serving, folder: string) {
    this.#broker = broker;
    this.#serving = serving;
    this.#folder = folder;
  }

  static async open({ api, kubeconfig, nb, sb, cluster }: Installed): Promise<Way> {
    const folder = mkdtempSync(join(tmpdir(), 'handover-way-'));
    const journal = () => {};
    const env = { KUBECONFIG: kubeconfig, OVN_NB_REMOTE: nb.remote, OVN_SB_REMOTE: sb.remote };
    const functions = (await readFunctions(process.cwd())).filter(({ name }) => name === 'reconcile');
    const command = () => ({ file: process.execPath, args: ['dist/index.mjs'], cwd: process.cwd(), env });
    const serving = new Serving({ functions, command, idle: 60_000, logs: folder, journal });
    await serving.start();
    const manifests = (await objectsIn('overlays/kube-ovn')) as unknown as Manifest[];
    const resolve = (service: { name: string; namespace: string }) =>
      service.name === 'reconcile' ? serving.urlOf(service) : undefined;
    const broker = new Broker({ manifests, resolve, journal });
    await broker.start();
    const pod = 'reconcile-00001-deployment-0';
    await cluster.core.createNamespacedPod({
      namespace: NAMESPACE,
      body: {
        metadata: { name: pod, labels: { 'serving.knative.dev/service': 'reconcile' } },
        spec: { containers: [{ name: 'user-container', image: 'none' }] },
      },
    });
    const log = join(folder, 'reconcile.log');
    api.sidePaths.services.set(
      'knative-eventing/broker-ingress',
      new URL('/', broker.urlOf(NAMESPACE, 'migrations')).href,
    );
    api.sidePaths.logs.set(`${NAMESPACE}/${pod}`, () => (existsSync(log) ? readFileSync(log, 'utf8') : ''));
    return new Way(broker, serving, folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#broker.stop();
    await this.#serving.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
