import type {
  Condition,
  KubernetesObject,
  MigrationState,
  Pod,
  VirtualMachineInstance as Vmi,
} from '../../lab/kubevirt/objects.ts';
import { inOrderOfWriting, isMigration, type WatchEvent } from './recording.ts';

/** What an object is to a migration. */
export type Role = 'VMIM' | 'VMI' | 'VM' | 'target pod' | 'source pod';

/** Of each object the writes in their order, and of each write what it changed, in words that fit any migration. */
export type Course = ReadonlyMap<Role, readonly (readonly string[])[]>;

/** The course of one of the migrations among these events, from its VMIM to where the next one gets its target. */
export function courseOf(all: readonly WatchEvent[], migration: string): Course {
  const events = inOrderOfWriting(all);
  const view = new View(events, migration);
  const course = new Map<Role, string[][]>();
  const before = new Map<string, KubernetesObject>();
  for (const { type, object } of events) {
    const role = view.roleOf(object, type);
    const { uid } = object.metadata;
    const known = before.get(uid);
    before.set(uid, object);
    if (role === undefined) continue;
    const words = type === 'DELETED' ? ['deleted'] : changes(view.words(known), view.words(object));
    if (words.length === 0) continue;
    const writes = course.get(role) ?? [];
    writes.push(words.sort());
    course.set(role, writes);
  }
  return course;
}

/** Words that were not there before, with a `-` those that went without another value in their place. */
function changes(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const came = [...after].filter(([path, value]) => before.get(path) !== value);
  const went = [...before.keys()].filter((path) => !after.has(path));
  return [
    ...came.map(([path, value]) => (value === '' ? path : `${path}=${value}`)),
    ...went.map((path) => `-${path}`),
  ];
}

/** What the events say of one migration. */
class View {
  readonly #migration: string;
  readonly #from: number;
  readonly #until: number;
  readonly #names = new Map<string, string>();
  readonly #target: Pod | undefined;
  readonly #source: Pod | undefined;

  constructor(events: readonly WatchEvent[], migration: string) {
    this.#migration = migration;
    const added = events.findIndex(({ object }) => object.metadata.uid === migration);
    const isTarget = ({ metadata }: KubernetesObject) => metadata.labels?.['kubevirt.io/migrationJobUID'] === migration;
    const pods = events.filter(({ object }) => object.kind === 'Pod').map(({ object }) => object as Pod);
    this.#target = pods.findLast(isTarget);
    const created = events.findIndex(({ object }) => object.kind === 'Pod' && isTarget(object));
    const others = events.findIndex(
      ({ type, object }, index) => index > created && created >= 0 && type === 'ADDED' && object.kind === 'Pod',
    );
    const earlier = events.slice(0, added).some(({ object, type }) => isMigration(object) && type === 'MODIFIED');
    this.#from = versionOf(events[earlier && created >= 0 ? created : added]);
    this.#until = others < 0 ? Number.POSITIVE_INFINITY : versionOf(events[others]);
    const vmi = events.slice(0, Math.max(added, created)).findLast(({ object }) => isVmi(object))?.object as Vmi;
    this.#source = pods.findLast(
      ({ metadata, spec, status }) =>
        spec.nodeName === vmi?.status?.nodeName &&
        metadata.uid !== this.#target?.metadata.uid &&
        Object.keys(vmi?.status?.activePods ?? {}).includes(metadata.uid) &&
        this.#isAliveAt(pods, metadata.uid, Math.max(added, created), events) &&
        status !== undefined,
    );
    const name = (key: string | undefined, word: string) => key && this.#names.set(key, word);
    name(vmi?.status?.nodeName, 'source');
    name(this.#target?.spec.nodeName, 'target');
    for (const [pod, word] of [
      [this.#source, 'source'],
      [this.#target, 'target'],
    ] as const) {
      name(pod?.metadata.uid, `${word} pod`);
      name(pod?.metadata.name, `${word} pod`);
    }
    name(migration, 'this migration');
    name(vmi?.metadata.name, 'the VM');
    name(vmi?.metadata.uid, 'the VMI');
    name(events[added]?.object.metadata.name, 'the VMIM');
  }

  #isAliveAt(pods: readonly Pod[], uid: string, index: number, events: readonly WatchEvent[]): boolean {
    const limit = versionOf(events[index]);
    const last = pods.findLast(({ metadata }) => metadata.uid === uid && Number(metadata.resourceVersion) <= limit);
    return last?.status?.phase === 'Running';
  }

  roleOf(object: KubernetesObject, type: WatchEvent['type']): Role | undefined {
    const { uid } = object.metadata;
    if (uid === this.#migration) return 'VMIM';
    const version = Number(object.metadata.resourceVersion);
    if (version < this.#from || version >= this.#until) return undefined;
    if (uid === this.#target?.metadata.uid) return 'target pod';
    if (type === 'ADDED') return undefined;
    if (uid === this.#source?.metadata.uid) return 'source pod';
    if (isVmi(object)) return 'VMI';
    return object.kind === 'VirtualMachine' ? 'VM' : undefined;
  }

  /** What an object says, by path; what differs with every run has no value. */
  words(object: KubernetesObject | undefined): ReadonlyMap<string, string> {
    if (object === undefined) return new Map();
    const { metadata, status = {} } = object as KubernetesObject & { status?: Record<string, unknown> };
    const { labels, annotations, finalizers, deletionTimestamp } = metadata;
    const spec: Partial<Pod['spec']> = object.kind === 'Pod' ? (object as Pod).spec : {};
    const said = {
      metadata: { labels, annotations, finalizers, deletionTimestamp },
      spec: { nodeName: spec.nodeName, gates: spec.schedulingGates?.length ? 'some' : undefined },
      status: object.kind === 'VirtualMachineInstance' ? this.#ofThisMigration(status) : status,
    };
    return new Map(this.#flat(said, ''));
  }

  /** Until hand-off a VMI tells of another migration, which is none of this one's words. */
  #ofThisMigration({ migrationState, ...status }: { migrationState?: MigrationState }): object {
    return migrationState?.migrationUid === this.#migration ? { ...status, migrationState } : status;
  }

  #flat(value: unknown, path: string): [string, string][] {
    const leaf = path.slice(path.lastIndexOf('.') + 1);
    if (UNTOLD.has(leaf) || value === undefined || value === null) return [];
    if (leaf === 'conditions') return (value as Condition[]).map((one) => conditionWord(path, one));
    if (leaf === 'containerStatuses') return containerWords(path, value as ContainerStatus[]);
    if (leaf === 'targetDirectMigrationNodePorts') return [[path, '']];
    if (Array.isArray(value)) return value.flatMap((item, index) => this.#flat(item, `${path}[${index}]`));
    if (typeof value === 'object') {
      return Object.entries(value).flatMap(([key, inner]) => {
        const named = this.#names.get(key) ?? key;
        return this.#flat(inner, path === '' ? named : `${path}.${named}`);
      });
    }
    const text = String(value);
    return [[path, this.#names.get(text) ?? (isOfOneRun(leaf, text) ? '' : text)]];
  }
}

type ContainerStatus = { name: string; state?: Record<string, unknown>; ready?: boolean };

/** Fields that change with others, or that say when and why in words for people. */
const UNTOLD = new Set(['phaseTransitionTimestamps', 'observedGeneration', 'desiredGeneration', 'startTime', 'podIPs']);

function conditionWord(path: string, { type, status, reason }: Condition): [string, string] {
  return [`${path}.${type}`, [status, reason].filter(Boolean).join(' ')];
}

function containerWords(path: string, statuses: readonly ContainerStatus[]): [string, string][] {
  return statuses.map(({ name, state = {} }) => [`${path}.${name}`, Object.keys(state)[0] ?? 'unknown']);
}

function isOfOneRun(leaf: string, text: string): boolean {
  return (
    /^\d{4}-\d\d-\d\d[T ]/.test(text) || /^\d+\.\d+\.\d+\.\d+$/.test(text) || PLACES.some((one) => leaf.endsWith(one))
  );
}

/** Where it ran, with which build, and how it was set up. */
const PLACES = [
  'migrationUid',
  'launcherContainerImageVersion',
  'bandwidthPerMigration',
  'migrationPendingPodTimeoutSeconds',
];

function isVmi({ kind }: KubernetesObject): boolean {
  return kind === 'VirtualMachineInstance';
}

function versionOf(event: WatchEvent | undefined): number {
  return Number(event?.object.metadata.resourceVersion);
}
