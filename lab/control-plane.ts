import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { Cluster } from './kubevirt/cluster.ts';
import { StandIn } from './stand-in.ts';
import type { TestbedDescription } from './testbed/description.ts';

export interface ControlPlaneOptions {
  readonly testbed: TestbedDescription;
  /** Whether target pods are created with the scheduling gate. */
  readonly gate: boolean;
  /** Whether anybody answers the events. */
  readonly functions: boolean;
  /** Added between Kubernetes and the functions, ms. */
  readonly eventDelayMs: number;
  /** From a target pod's nodeName to copying, ms. */
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
  /** Files of JSON lines: what happened, as each part saw it. */
  readonly logs: { readonly kubevirt: string; readonly knative: string };
  stop(): Promise<void>;
}

const GATE = new URL('../eventing/components/scheduling-gate/policy.yaml', import.meta.url).pathname;

/** Starts all parts; resolves when events would reach the functions. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { testbed, onProgress = () => {} } = options;
  const directory = join(testbed.directory, 'control-plane');
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const file = (name: string) => join(directory, name);
  const kubeconfig = file('kubeconfig');
  const logs = { kubevirt: file('kubevirt.jsonl'), knative: file('knative.jsonl') };
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
    await start('the Kubernetes API stand-in', 'kubernetes-api', [
      ...['--kubeconfig', kubeconfig, '--log', file('kubernetes-api.jsonl')],
      ...(options.gate ? ['--admission', GATE] : []),
    ]);
    await start('the KubeVirt stand-in', 'kubevirt', [
      ...['--kubeconfig', kubeconfig, '--log', logs.kubevirt, '--pace', `${options.paceMs}`],
      ...['--testbed', join(testbed.directory, 'testbed.json')],
    ]);
    await start('the Knative stand-ins (source, broker, activator)', 'knative', [
      ...['--kubeconfig', kubeconfig, '--log', logs.knative],
      ...['--event-delay', `${options.eventDelayMs}`, '--idle', `${options.idleMs}`],
      ...['--env', `OVN_NB_REMOTE=${testbed.northbound}`, '--env', `OVN_SB_REMOTE=${testbed.southbound}`],
      ...(options.functions ? [] : ['--no-functions']),
    ]);
    const config = new KubeConfig();
    config.loadFromString(await readFile(kubeconfig, 'utf8'));
    const core = config.makeApiClient(CoreV1Api);
    for (const name of new Set(testbed.vms.map(({ namespace }) => namespace))) {
      await core.createNamespace({ body: { metadata: { name } } });
    }
    const cluster = new Cluster(config);
    await cluster.start();
    started.push(cluster);
    return { cluster, kubeconfig, logs, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
