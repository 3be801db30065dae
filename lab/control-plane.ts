import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { ReceiveAdapter } from './cluster/receive-adapter.ts';
import { EventPath } from './event-path.ts';
import { freePort } from './free-port.ts';
import { Cluster } from './kubevirt/cluster.ts';
import type { KubeVirtOptions } from './kubevirt/kubevirt.ts';
import { StandIn } from './stand-in.ts';
import type { TestbedDescription } from './testbed/description.ts';

export interface ControlPlaneOptions {
  readonly testbed: TestbedDescription;
  /** Whose API server and ApiServerSource: the lab's own, by default, or kube-apiserver and Knative's adapter. */
  readonly kubernetes?: 'stand-in' | 'real';
  /** Whether target pods are created with the scheduling gate. */
  readonly gate: boolean;
  /** What runs as a VM; a QEMU guest by default. */
  readonly guest?: KubeVirtOptions['guest'];
  /** Whether anybody answers the events. */
  readonly functions: boolean;
  /** Whether the PingSource ticks, as it does by default; without it a sweep comes when `events.ping()` asks for it. */
  readonly pingSource?: boolean;
  /** Added between Kubernetes and the functions, ms. */
  readonly eventDelayMs: number;
  /** From a target pod's nodeName to the switch, ms. */
  readonly paceMs: number;
  /** Time without requests after which a function is ended, ms. */
  readonly idleMs: number;
  /** Told of each step, in words for a person. */
  readonly onProgress?: (step: string) => void;
}

/** Kubernetes, KubeVirt and Knative as far as a migration needs them, each a process of its own. */
export interface ControlPlane {
  readonly cluster: Cluster;
  readonly kubeconfig: string;
  readonly events: EventPath;
  /** Files of JSON lines: what happened, as each part saw it, and what the API server was asked. */
  readonly logs: Readonly<Record<'kubevirt' | 'knative' | 'requests', string>>;
  /** Where Kubernetes is real. */
  readonly adapter?: ReceiveAdapter;
  /** Folder with a kubeconfig for each of our ServiceAccounts, where Kubernetes is real. */
  readonly serviceAccounts?: string;
  stop(): Promise<void>;
}

const EVENTING = fileURLToPath(new URL('../eventing/overlays/kube-ovn', import.meta.url));
const GATE = fileURLToPath(new URL('../eventing/components/scheduling-gate/policy.yaml', import.meta.url));

/** Starts all parts; resolves when events would reach the functions. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { testbed, onProgress = () => {} } = options;
  const real = options.kubernetes === 'real';
  const directory = join(testbed.directory, 'control-plane');
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const file = (name: string) => join(directory, name);
  const kubeconfig = file('kubeconfig');
  const serviceAccounts = file('service-accounts');
  const logs = { kubevirt: file('kubevirt.jsonl'), knative: file('knative.jsonl'), requests: file('requests.jsonl') };
  const started: { stop(): Promise<void> }[] = [];
  const stop = async () => {
    for (const part of started.splice(0).reverse()) await part.stop();
  };
  const start = async (name: string, folder: string, args: readonly string[]) => {
    onProgress(`starting ${name}`);
    const program = new URL(`${folder}/main.ts`, import.meta.url);
    started.push(await StandIn.start(name, program, args, file(`${folder}.log`)));
  };
  try {
    const api = ['--kubeconfig', kubeconfig, '--log', logs.requests];
    if (real) {
      const gate = options.gate ? ['--gate'] : [];
      await start('kube-apiserver', 'cluster', [...api, '--service-accounts', serviceAccounts, ...gate]);
    } else {
      const gate = options.gate ? ['--admission', GATE] : [];
      await start('the Kubernetes API stand-in', 'kubernetes-api', [...api, ...gate, '--kubevirt-webhook']);
    }
    await start('the KubeVirt stand-in', 'kubevirt', [
      ...['--kubeconfig', kubeconfig, '--log', logs.kubevirt, '--pace', `${options.paceMs}`],
      ...['--guest', options.guest ?? 'qemu'],
      ...['--testbed', join(testbed.directory, 'testbed.json')],
    ]);
    const ingress = await freePort();
    onProgress(`starting the Knative stand-ins (${real ? '' : 'source, '}broker, activator)`);
    const events = new EventPath({
      ingress,
      flags: [
        ...['--kubeconfig', kubeconfig, '--log', logs.knative],
        ...['--event-delay', `${options.eventDelayMs}`, '--idle', `${options.idleMs}`],
        ...(options.functions ? [] : ['--no-functions']),
        ...(options.pingSource === false ? ['--no-ping-source'] : []),
        ...(real ? ['--no-source', '--service-accounts', serviceAccounts] : []),
      ],
      env: { OVN_NB_REMOTE: testbed.northbound, OVN_SB_REMOTE: testbed.southbound },
      output: file('knative.log'),
    });
    started.push(events);
    await events.start();
    let adapter: ReceiveAdapter | undefined;
    if (real) {
      onProgress("starting Knative's receive adapter");
      adapter = await ReceiveAdapter.of(EVENTING, {
        serviceAccounts,
        broker: `http://127.0.0.1:${ingress}`,
        output: file('adapter.log'),
        audit: logs.requests,
      });
      started.push(adapter);
      await adapter.start();
    }
    const config = new KubeConfig();
    config.loadFromString(await readFile(kubeconfig, 'utf8'));
    const core = config.makeApiClient(CoreV1Api);
    for (const name of new Set(testbed.vms.map(({ namespace }) => namespace))) {
      await core.createNamespace({ body: { metadata: { name } } });
    }
    const cluster = new Cluster(config);
    await cluster.start();
    started.push(cluster);
    return { cluster, kubeconfig, events, logs, stop, ...(adapter && { adapter, serviceAccounts }) };
  } catch (error) {
    await stop();
    throw error;
  }
}
