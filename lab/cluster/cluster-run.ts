import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { OvnSuite } from '../testbed/ovn-suite.ts';
import { Reaper } from '../testbed/reaper.ts';
import { startTestbed } from '../testbed/testbed.ts';
import type { ClusterParts } from './build/parts.ts';
import { ControlPlane } from './control-plane/control-plane.ts';
import { type ClusterDescription, describeCluster, ovnFolder, PREFIX, vmsOfCluster } from './description.ts';
import { eventually } from './eventually.ts';
import { startFunctions } from './knative/functions.ts';
import { installKnative } from './knative/install.ts';
import { kubectlIn } from './kubectl.ts';
import { installKubeVirt, kubeVirtIsDeployed } from './kubevirt/install.ts';
import { startVms } from './kubevirt/vm.ts';
import { Node } from './nodes/node.ts';
import { serveNorthbound } from './ovn.ts';

export interface ClusterOptions {
  readonly directory: string;
  readonly parts: ClusterParts;
  /** How many of the cluster's VMs are created. */
  readonly vms: number;
  /** With Knative and the functions, or without. */
  readonly knative: boolean;
  /** Whose OVN runs. */
  readonly ovn: OvnSuite;
}

const REAP = fileURLToPath(new URL('reap.ts', import.meta.url));
const NODES_WITHIN_MS = 300_000;

/** A cluster that ends with this process, in whatever way it ends. */
export class ClusterRun {
  readonly #options: ClusterOptions;
  readonly #onProgress: (step: string) => void;
  #reaper: Reaper | undefined;
  #controlPlane: ControlPlane | undefined;
  #nodes: readonly Node[] = [];

  constructor(options: ClusterOptions, onProgress: (step: string) => void) {
    this.#options = options;
    this.#onProgress = onProgress;
  }

  /** Resolves when the guests of its VMs answer over OVN. */
  async start(): Promise<void> {
    const { directory, parts, vms } = this.#options;
    await rm(join(directory, 'logs'), { recursive: true, force: true });
    await mkdir(join(directory, 'logs'), { recursive: true });
    const cluster = await this.#startNetwork();
    this.#onProgress('starting etcd, kube-apiserver, kube-controller-manager and kube-scheduler');
    this.#controlPlane = await ControlPlane.start(cluster);
    await this.#startNodes(cluster);
    this.#onProgress("applying KubeVirt's operator, and waiting until KubeVirt is deployed");
    await installKubeVirt(cluster, parts.kubevirt);
    // KubeVirt's kinds are there only when it is deployed, and the functions' source watches them.
    const knative = this.#options.knative ? installKnative(cluster) : undefined;
    await Promise.all([kubeVirtIsDeployed(cluster), knative]);
    if (knative !== undefined) await startFunctions(cluster, this.#onProgress);
    await startVms(cluster, cluster.testbed.vms.slice(0, vms), this.#onProgress);
  }

  /** Resolves when nothing is left. */
  async stop(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.stop()));
    await this.#controlPlane?.stop();
    await this.#reaper?.reap();
  }

  async #startNetwork(): Promise<ClusterDescription> {
    const { directory, ovn } = this.#options;
    const testbed = await startTestbed({
      directory: ovnFolder(directory),
      prefix: PREFIX,
      vms: vmsOfCluster(),
      ovn,
      // Our own reaper ends it.
      keep: true,
      down: 'cluster -- down',
      onProgress: this.#onProgress,
    });
    // Not before its names are ours: it would end whoever has them.
    this.#reaper = new Reaper({ directory, prefix: PREFIX }, REAP);
    await serveNorthbound(testbed);
    const cluster = describeCluster(testbed, directory, process.pid);
    await writeFile(join(directory, 'cluster.json'), `${JSON.stringify(cluster, undefined, 2)}\n`);
    return cluster;
  }

  async #startNodes(cluster: ClusterDescription): Promise<void> {
    const { parts } = this.#options;
    this.#onProgress(`starting ${cluster.nodes.map(({ name }) => name).join(' and ')}, which take in their images`);
    this.#nodes = cluster.nodes.map((node) => new Node(node, cluster));
    await Promise.all(this.#nodes.map((node) => node.start(parts)));
    this.#onProgress('waiting until both nodes are Ready');
    await eventually('both nodes are Ready', NODES_WITHIN_MS, async () => {
      const lines = (await kubectlIn(cluster, 'get', 'nodes', '--no-headers')).split('\n');
      return lines.filter((line) => / Ready /.test(line)).length === cluster.nodes.length || lines.join('; ');
    });
  }
}
