import type { ClusterDescription } from '../../lab/cluster/description.ts';
import { kubectlIn } from '../../lab/cluster/kubectl.ts';

/** What the pods of a namespace took, as kubelets report it. */
export interface Usage {
  /** Seconds of a core, of all pods that were seen. */
  cpuSeconds: number;
  /** Of those that are there now. */
  workingSetMb: number;
}

interface PodUsage {
  readonly podRef: { readonly uid: string; readonly namespace: string };
  readonly cpu?: { readonly usageCoreNanoSeconds?: number };
  readonly memory?: { readonly workingSetBytes?: number };
}

/** Adds up what pods take between looks, also those that come and go. */
export class Meter {
  readonly #cluster: ClusterDescription;
  /** Core nanoseconds as first and last seen, by the uid of the pod. */
  readonly #cpu = new Map<string, { readonly namespace: string; readonly first: number; last: number }>();
  #memory = new Map<string, number>();
  #isFirstLook = true;

  constructor(cluster: ClusterDescription) {
    this.#cluster = cluster;
  }

  async look(): Promise<void> {
    const memory = new Map<string, number>();
    for (const { podRef, cpu, memory: taken } of await this.#pods()) {
      const { uid, namespace } = podRef;
      const used = cpu?.usageCoreNanoSeconds ?? 0;
      // What a pod took that came after the first look counts from its start.
      const seen = this.#cpu.get(uid) ?? { namespace, first: this.#isFirstLook ? used : 0, last: used };
      seen.last = used;
      this.#cpu.set(uid, seen);
      memory.set(namespace, (memory.get(namespace) ?? 0) + (taken?.workingSetBytes ?? 0) / 1e6);
    }
    this.#memory = memory;
    this.#isFirstLook = false;
  }

  /** Since the first look, by namespace. */
  usage(): Map<string, Usage> {
    const usage = new Map<string, Usage>();
    for (const { namespace, first, last } of this.#cpu.values()) {
      const { cpuSeconds } = usage.get(namespace) ?? { cpuSeconds: 0 };
      const workingSetMb = this.#memory.get(namespace) ?? 0;
      usage.set(namespace, { cpuSeconds: cpuSeconds + (last - first) / 1e9, workingSetMb });
    }
    return usage;
  }

  async #pods(): Promise<PodUsage[]> {
    const summaries = this.#cluster.nodes.map(({ name }) =>
      kubectlIn(this.#cluster, 'get', '--raw', `/api/v1/nodes/${name}/proxy/stats/summary`),
    );
    return (await Promise.all(summaries)).flatMap((text) => (JSON.parse(text) as { pods: PodUsage[] }).pods);
  }
}
