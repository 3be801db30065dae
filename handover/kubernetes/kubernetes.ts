import { LookAgainError } from '../decision/errors.ts';
import type { KubernetesEvent } from '../decision/events.ts';
import type { Objects } from '../decision/facts.ts';
import type { SchedulingGateRelease } from '../decision/gates.ts';
import type { HistoryEntry } from '../decision/history.ts';
import {
  controllingVmi,
  gatesOf,
  isFinal,
  MIGRATION_UID_LABEL,
  type Pod,
  type VirtualMachineInstance,
  type VirtualMachineInstanceMigration,
  type VmiReference,
} from '../decision/kubevirt.ts';
import { historyAnnotations, mergeRecords, migrationRecordOf } from '../decision/migration-record.ts';
import { type EventContext, type EventObject, eventObject, onceMore } from './event.ts';

/**
 * The requests that the hand-over makes to the Kubernetes API. Every read asks for the most recent state (no
 * resourceVersion). Errors: TryAgainError when the API server is away, or answers with an error.
 */
export interface KubernetesApi {
  /** @param options.labelled only those with KubeVirt's label for the VMI; otherwise all of the namespace */
  listMigrations(
    vmi: VmiReference,
    options: { readonly labelled: boolean },
  ): Promise<readonly VirtualMachineInstanceMigration[]>;
  listAllMigrations(): Promise<readonly VirtualMachineInstanceMigration[]>;
  /** `undefined` only where the API server says of this very VMIM that it is not there. */
  getMigration(vmim: VirtualMachineInstanceMigration): Promise<VirtualMachineInstanceMigration | undefined>;
  /** `undefined` only where the API server says of this very VMI that it is not there. */
  getVmi(vmi: VmiReference): Promise<VirtualMachineInstance | undefined>;
  listLauncherPods(namespace: string, vmiUid: string): Promise<readonly Pod[]>;
  /** Target pods of all VMs that are not scheduled, or do not run yet. */
  listPendingTargets(): Promise<readonly Pod[]>;
  /** A JSON merge patch. */
  patchPod(pod: Pod, patch: object): Promise<PatchResult>;
  /** A JSON merge patch. */
  patchMigration(vmim: VirtualMachineInstanceMigration, patch: object): Promise<PatchResult>;
  createEvent(event: EventObject): Promise<'created' | 'AlreadyExists'>;
  /** `undefined` only where the API server says of this very event that it is not there. */
  getEvent(event: EventObject): Promise<EventObject | undefined>;
  /** A JSON merge patch. */
  patchEvent(event: EventObject, patch: object): Promise<PatchResult>;
}

export type PatchResult = 'patched' | 'Conflict' | 'NotFound';

/** How often an object is read and written again because somebody else changed it in between. */
const MAX_ATTEMPTS = 5;

/** What the hand-over reads and writes of a VM in Kubernetes. */
export class Kubernetes {
  readonly #api: KubernetesApi;

  constructor(api: KubernetesApi) {
    this.#api = api;
  }

  /**
   * The objects of one VM, read in an order that cannot mislead: a guest's node is written before its migration is
   * called final, and its pod is marked as switched before that. Whoever reads the other way round can see a final
   * migration with the node of before, and would pin the port to where the guest no longer is.
   */
  async objectsOf(vmi: VmiReference): Promise<Objects> {
    let objects = await this.#objectsOf(vmi, { labelled: true });
    // A VMIM that was made without KubeVirt's webhooks has no label; `spec.vmiName` is what counts. And only a target that was
    // there before the VMIMs were listed is without one if none of them is its own.
    for (let before: readonly Pod[] = []; targetsUnknown(objects).some((pod) => !isAmong(before, pod)); ) {
      before = objects.pods;
      objects = await this.#objectsOf(vmi, { labelled: false });
    }
    return objects;
  }

  async #objectsOf(vmi: VmiReference, options: { readonly labelled: boolean }): Promise<Objects> {
    const migrations = await this.#api.listMigrations(vmi, options);
    const instance = await this.#api.getVmi(vmi);
    const pods = instance ? await this.#api.listLauncherPods(vmi.namespace, instance.metadata.uid) : [];
    return { migrations, vmi: instance, pods };
  }

  /** Names of a VMI's networks; `undefined` where there is no such VMI. */
  async networksOf(vmi: VmiReference): Promise<readonly string[] | undefined> {
    const instance = await this.#api.getVmi(vmi);
    return instance && (instance.spec?.networks ?? []).map(({ name }) => name);
  }

  /** VMs of which a migration is not final, or a target pod is held by our gates. */
  async migratingVmis(): Promise<readonly VmiReference[]> {
    const [migrations, targets] = await Promise.all([this.#api.listAllMigrations(), this.#api.listPendingTargets()]);
    const unfinished = migrations.filter((migration) => !isFinal(migration));
    const held = targets.filter((pod) => gatesOf(pod).length > 0);
    return [
      ...unfinished.map(({ metadata, spec }) => ({ namespace: metadata.namespace, name: spec.vmiName })),
      ...held.flatMap((pod) => {
        const owner = controllingVmi(pod);
        return owner ? [{ namespace: pod.metadata.namespace, name: owner.name }] : [];
      }),
    ];
  }

  /**
   * Annotates a launcher pod and takes scheduling gates off, in one write that counts only if the pod still is as it was
   * read. A pod that is gone needs neither.
   * @throws LookAgainError when the pod was changed in between
   */
  async ungate({ pod, gates, annotations }: Omit<SchedulingGateRelease, 'events'>): Promise<void> {
    const { name, namespace, uid, resourceVersion } = pod.metadata;
    const kept = (pod.spec.schedulingGates ?? []).filter((gate) => !gates.some((own) => own === gate.name));
    const answer = await this.#api.patchPod(pod, {
      metadata: { uid, resourceVersion, annotations },
      ...(gates.length > 0 && { spec: { schedulingGates: kept } }),
    });
    if (answer === 'Conflict') throw new LookAgainError(`pod ${namespace}/${name} was changed in between`);
  }

  /**
   * Adds to the record of a migration. KubeVirt writes the VMIM too, and other functions write the same record: so a write
   * counts only if the VMIM still is as it was read, and nothing is lost. With a VMIM that is gone its record is gone.
   */
  async recordHistory({ vmim, record }: HistoryEntry): Promise<void> {
    const { uid, name, namespace } = vmim.metadata;
    await this.#writeGuarded(`VMIM ${namespace}/${name}`, vmim, {
      patchOf: ({ metadata }) => {
        const annotations = historyAnnotations(mergeRecords(migrationRecordOf({ metadata }) ?? {}, record));
        const isKnown = Object.entries(annotations).every(([key, value]) => metadata.annotations?.[key] === value);
        if (isKnown || metadata.uid !== uid) return undefined;
        return { metadata: { uid, resourceVersion: metadata.resourceVersion, annotations } };
      },
      patch: (read, patch) => this.#api.patchMigration(read, patch),
      get: (read) => this.#api.getMigration(read),
    });
  }

  /** Records on a VMI what `kubectl describe` shows; the same line again counts up. */
  async record(event: KubernetesEvent, context: EventContext): Promise<void> {
    const written = eventObject(event, context);
    if ((await this.#api.createEvent(written)) === 'created') return;
    const { namespace, name } = written.metadata;
    await this.#writeGuarded(`event ${namespace}/${name}`, await this.#api.getEvent(written), {
      patchOf: onceMore,
      patch: (read, patch) => this.#api.patchEvent(read, patch),
      get: (read) => this.#api.getEvent(read),
    });
  }

  /** Writes what `patchOf` makes of an object as it is, unless that is nothing, or the object is gone. */
  async #writeGuarded<Item>(what: string, item: Item | undefined, write: GuardedWrite<Item>): Promise<void> {
    let read = item;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const patch = read && write.patchOf(read);
      if (read === undefined || patch === undefined) return;
      if ((await write.patch(read, patch)) !== 'Conflict') return;
      read = await write.get(read);
    }
    throw new LookAgainError(`${what} was changed ${MAX_ATTEMPTS} times in between`);
  }
}

interface GuardedWrite<Item> {
  /** Its `resourceVersion` is that of the object; `undefined` where there is nothing to write. */
  readonly patchOf: (read: Item) => object | undefined;
  readonly patch: (read: Item, patch: object) => Promise<PatchResult>;
  readonly get: (read: Item) => Promise<Item | undefined>;
}

/** Launcher pods that may be the targets of migrations that were not listed: one of several, or one that waits. */
function targetsUnknown({ migrations, pods }: Objects): readonly Pod[] {
  const living = pods.filter((pod) => !isFinal(pod));
  return living.filter(({ metadata, status }) => {
    const uid = metadata.labels?.[MIGRATION_UID_LABEL];
    if (uid === undefined || migrations.some((migration) => migration.metadata.uid === uid)) return false;
    return living.length > 1 || status?.phase === 'Pending';
  });
}

function isAmong(pods: readonly Pod[], { metadata: { uid } }: Pod): boolean {
  return pods.some(({ metadata }) => metadata.uid === uid);
}
