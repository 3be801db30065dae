import { readFileSync } from 'node:fs';
import type { KubernetesObject } from '../../lab/kubevirt/objects.ts';

/** One event of a watch of VMs, VMIs, VMIMs and launcher pods. */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubernetesObject;
}

export interface RecordedEvent extends WatchEvent {
  /** When it came, in seconds since the recording began. */
  readonly t: number;
}

export const RECORDINGS = [
  'success-bridge',
  'success-masquerade',
  'gated-then-success',
  'there-and-back-second-denied',
  'cancelled-while-gated',
  'pending-timeout',
  'aborted-and-failed',
  'aborted-but-succeeded',
] as const;

export type RecordingName = (typeof RECORDINGS)[number];

const FOLDER = new URL('../../testkit/fixtures/kubevirt-1.9/', import.meta.url);

/** What a real KubeVirt made its watchers see, in the order in which it was written. */
export function recording(name: RecordingName): readonly RecordedEvent[] {
  const lines = readFileSync(new URL(`${name}.jsonl`, FOLDER), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => JSON.parse(line));
}

/** In the order in which they were written: resourceVersions count over all kinds. */
export function inOrderOfWriting<T extends WatchEvent>(events: readonly T[]): readonly T[] {
  const version = ({ object }: WatchEvent) => Number(object.metadata.resourceVersion);
  return events.toSorted((a, b) => version(a) - version(b));
}

/** VMIMs that began in it, the first first. */
export function migrationsIn(events: readonly RecordedEvent[]): readonly KubernetesObject[] {
  return events
    .filter(({ type, object, t }) => type === 'ADDED' && isMigration(object) && t > BEGUN_S)
    .map(({ object }) => object);
}

/** What is there when a watch begins comes at once. */
const BEGUN_S = 1;

export function isMigration({ kind }: KubernetesObject): boolean {
  return kind === 'VirtualMachineInstanceMigration';
}
