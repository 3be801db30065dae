import { binary } from '../../lab/cluster/binaries.ts';
import { type ClusterDescription, fabricOf } from '../../lab/cluster/description.ts';
import { Lines } from '../../lab/cluster/lines.ts';
import { inNode } from '../../lab/cluster/nodes/enter.ts';

/** When a function's pod came to be what it is, in milliseconds of this machine's clock. */
export interface PodStart {
  readonly name: string;
  /** The Knative Service. */
  readonly service: string;
  readonly created: number;
  scheduled?: number;
  /** By the name of the container. */
  readonly started: Map<string, number>;
  ready?: number;
}

interface WatchEvent {
  readonly type: string;
  readonly object: {
    readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
    readonly status?: {
      readonly conditions?: readonly { readonly type: string; readonly status: string }[];
      readonly containerStatuses?: readonly { readonly name: string; readonly containerID?: string }[];
    };
  };
}

const SERVICE = 'serving.knative.dev/service';

/** Watches how the functions' pods start: the API server's part by a watch, the containers' by their nodes' containerd. */
export class PodStarts implements AsyncDisposable {
  readonly #pods = new Map<string, PodStart>();
  /** By the id of the container. */
  readonly #tasks = new Map<string, number>();
  readonly #containers = new Map<string, { pod: string; name: string }>();
  readonly #followed: Lines[] = [];

  static async watch(cluster: ClusterDescription): Promise<PodStarts> {
    const starts = new PodStarts();
    const watch = ['get', 'pods', '-n', 'ovn-handover', '-l', SERVICE, '-w', '--output-watch-events', '-o', 'json'];
    const kubectl = [binary('kubectl'), `--kubeconfig=${cluster.kubeconfig}`, ...watch];
    starts.#follow(['ip', 'netns', 'exec', fabricOf(cluster.testbed), ...kubectl], (line, at) =>
      starts.#see(JSON.parse(line) as WatchEvent, at),
    );
    for (const node of cluster.nodes) {
      const events = await inNode(node, ['ctr', '--namespace', 'k8s.io', 'events']);
      starts.#follow(events, (line, at) => {
        const [, id] = /\/tasks\/start \{"container_id":"(\w+)"/.exec(line) ?? [];
        if (id !== undefined) starts.#tasks.set(id, at);
      });
    }
    return starts;
  }

  /** The pods that were created since a time. */
  since(time: number): PodStart[] {
    for (const [id, { pod, name }] of this.#containers) {
      const at = this.#tasks.get(id);
      if (at !== undefined) this.#pods.get(pod)?.started.set(name, at);
    }
    return [...this.#pods.values()].filter(({ created }) => created >= time);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const followed of this.#followed) await followed[Symbol.asyncDispose]();
  }

  #follow(command: readonly string[], onLine: (line: string, at: number) => void): void {
    this.#followed.push(new Lines(command, onLine));
  }

  #see({ object: { metadata, status } }: WatchEvent, at: number): void {
    const { name, labels } = metadata;
    const pod: PodStart = this.#pods.get(name) ?? {
      name,
      service: labels[SERVICE] ?? '',
      created: at,
      started: new Map(),
    };
    this.#pods.set(name, pod);
    const is = (type: string) => status?.conditions?.some((one) => one.type === type && one.status === 'True');
    if (is('PodScheduled')) pod.scheduled ??= at;
    if (is('Ready')) pod.ready ??= at;
    for (const { name: container, containerID } of status?.containerStatuses ?? []) {
      if (containerID) this.#containers.set(containerID.replace('containerd://', ''), { pod: name, name: container });
    }
  }
}
