import type { CloudEvent } from 'cloudevents';
import type { EventPath } from '../event-path.ts';
import { changeEvent } from '../knative/change-event.ts';
import type { Cluster } from '../kubevirt/cluster.ts';
import { MIGRATION_JOB_UID } from '../kubevirt/labels.ts';
import type { KubernetesObject } from '../kubevirt/objects.ts';

/** Remembers every event of one VM, as the source would make it, and tells it again: twice at once, or long after. */
export class Echo {
  readonly #events: EventPath;
  readonly #told: CloudEvent<unknown>[] = [];
  readonly #versions = new Set<string>();
  readonly #stop = new AbortController();
  readonly #posts: Promise<void>[] = [];

  /** @param times how often each event is told again as soon as it comes */
  constructor(vm: { namespace: string; name: string }, cluster: Cluster, events: EventPath, times: number) {
    this.#events = events;
    cluster.onChange(() => {
      for (const object of objectsOf(vm, cluster)) {
        const { uid, resourceVersion } = object.metadata;
        if (this.#versions.has(resourceVersion)) continue;
        const action = this.#versions.has(uid) ? 'update' : 'add';
        this.#versions.add(uid).add(resourceVersion);
        const event = () => changeEvent('https://kubernetes', action, object as Parameters<typeof changeEvent>[2]);
        this.#told.push(event());
        for (let time = 0; time < times; time++) this.#posts.push(events.post(event()));
      }
    }, this.#stop.signal);
  }

  /** Resolves when all that was told twice has been taken; nothing more is remembered. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#posts);
  }

  /** Tells everything again, the newest first. Resolves when the broker has taken it. */
  async again(): Promise<void> {
    for (const event of this.#told.toReversed()) await this.#events.post(event.cloneWith({ id: crypto.randomUUID() }));
  }
}

function objectsOf({ namespace, name }: { namespace: string; name: string }, cluster: Cluster): KubernetesObject[] {
  const vmims = cluster.vmims.all().filter((vmim) => vmim.spec.vmiName === name);
  const pods = cluster.pods.all().filter(({ metadata: { labels, ownerReferences } }) => {
    return labels?.[MIGRATION_JOB_UID] !== undefined && ownerReferences?.[0]?.name === name;
  });
  const vmi = cluster.vmis.get(namespace, name);
  return [...vmims, ...pods, ...(vmi ? [vmi] : [])].filter(({ metadata }) => metadata.namespace === namespace);
}
