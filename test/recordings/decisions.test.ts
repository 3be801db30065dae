/** Each recording of a real KubeVirt is played, event by event, to what decides; the bindings are those that a person would give. */
import { describe, expect, test } from '@jest/globals';
import { inOrderOfWriting, migrationsIn, type RecordedEvent, type RecordingName, recording } from './recording.ts';
import { ModelRow, type Options, THEIRS } from './row.ts';

/** From which event on (by the resourceVersion of its object) the port is to be bound how. */
type Bindings = readonly (readonly [event: number, binding: string])[];

/** A minute after the last pod but the guest's has ended. */
const AT_REST = Number.POSITIVE_INFINITY;

const EXPECTED: Readonly<Record<RecordingName, Bindings>> = {
  // VMIM; target's nodeName; targetNodeDomainReadyTimestamp.
  'success-bridge': [
    [1000, 'pinned 1'],
    [1006, 'dual 1,2'],
    [1056, 'pinned 2'],
    [AT_REST, 'unbound'],
  ],
  // VMIM; target's nodeName; ready timestamp and VMI's nodeName at once.
  'success-masquerade': [
    [3240, 'pinned 2'],
    [3246, 'dual 2,1'],
    [3292, 'pinned 1'],
    [AT_REST, 'unbound'],
  ],
  // For 11 s the target waits at its gate.
  'gated-then-success': [
    [1313, 'pinned 1'],
    [1341, 'dual 1,2'],
    [1386, 'pinned 2'],
    [AT_REST, 'unbound'],
  ],
  // Back is asked for at 1287; its target is created when the old source pod has ended. The end of the second source pod is not recorded.
  'there-and-back-second-denied': [
    [1219, 'pinned 2'],
    [1224, 'dual 2,1'],
    [1265, 'pinned 1'],
    [1322, 'dual 1,2'],
    [1366, 'pinned 2'],
  ],
  // Never a node; the guest stays where it is.
  'cancelled-while-gated': [
    [1449, 'pinned 2'],
    [AT_REST, 'unbound'],
  ],
  'pending-timeout': [
    [1497, 'pinned 2'],
    [AT_REST, 'unbound'],
  ],
  // VMIM deleted at 5531, Failed at 5540; the target pod was not seen to end.
  'aborted-and-failed': [
    [5461, 'pinned 1'],
    [5465, 'dual 1,2'],
    [5540, 'pinned 1'],
  ],
  // VMIM deleted at 1930; the source's container ends at 1949, and only after that KubeVirt tells of the switch.
  'aborted-but-succeeded': [
    [1876, 'pinned 2'],
    [1880, 'dual 2,1'],
    [1953, 'pinned 1'],
    [AT_REST, 'unbound'],
  ],
};

/** Before which events the guest announces itself on the target: some milliseconds before KubeVirt tells of it, or seconds. */
const ANNOUNCED: Readonly<Partial<Record<RecordingName, readonly number[]>>> = {
  'success-bridge': [1056],
  'gated-then-success': [1386],
  'there-and-back-second-denied': [1265, 1366],
  'aborted-but-succeeded': [1930],
};

const NAMES = Object.keys(EXPECTED) as RecordingName[];

const versionOf = ({ object }: RecordedEvent) => Number(object.metadata.resourceVersion);

/** Plays a recording; `each` comes between an event and the look that it brings. */
function play(
  name: RecordingName,
  events: readonly RecordedEvent[],
  { each = () => {}, look = () => true }: { each?: (row: ModelRow) => void; look?: (index: number) => boolean } = {},
): { row: ModelRow; wrong: string[] } {
  const row = new ModelRow();
  const wrong: string[] = [];
  const clock = clockOf(events);
  let expected = 'unbound';
  for (const [index, event] of events.entries()) {
    const version = versionOf(event);
    if (ANNOUNCED[name]?.includes(version)) row.announce();
    expected = EXPECTED[name].find(([from]) => from === version)?.[1] ?? expected;
    row.see(event);
    each(row);
    if (!look(index)) continue;
    row.look(clock(event.t));
    const { kind, metadata } = event.object;
    if (row.binding !== expected)
      wrong.push(`${version} ${kind} ${metadata.name}: ${row.binding} instead of ${expected}`);
  }
  row.look(clock(events.at(-1)!.t + 120));
  return { row, wrong };
}

/** By the creationTimestamp of the first VMIM: the recording's seconds as milliseconds since the epoch. */
function clockOf(events: readonly RecordedEvent[]): (t: number) => number {
  const { metadata } = migrationsIn(events)[0]!;
  const began = events.find(({ object }) => object.metadata.uid === metadata.uid)!.t;
  return (t) => Date.parse(metadata.creationTimestamp) + (t - began) * 1_000;
}

const inOrderOfArrival = (name: RecordingName) => recording(name).toSorted((a, b) => a.t - b.t);

const stories = (name: RecordingName) => ['unbound', ...EXPECTED[name].map(([, binding]) => binding)];

describe('the binding is right after each event, and changes no more often than it has to', () => {
  test.each(NAMES)('%s, in the order in which the events came', (name) => {
    const { row, wrong } = play(name, inOrderOfArrival(name));
    expect(wrong).toEqual([]);
    expect(row.story).toEqual(stories(name));
  });

  test.each(NAMES)('%s, in the order in which the objects were written', (name) => {
    const { row, wrong } = play(name, inOrderOfWriting(recording(name)));
    expect(wrong).toEqual([]);
    expect(row.story).toEqual(stories(name));
  });
});

test.each(NAMES)('%s: at rest there is nothing of ours, unless another pod may be plugged', (name) => {
  const { row } = play(name, recording(name));
  const last = EXPECTED[name].at(-1)![1];
  if (last === 'unbound') expect(row.options).toEqual(THEIRS);
  else expect(row.binding).toBe(last);
});

describe('events are hints: the binding is right after each look, however many are lost', () => {
  test.each(NAMES.flatMap((name) => [2, 3, 7].map((every) => [name, every] as const)))(
    '%s, with a look at every %i. event',
    (name, every) => {
      const { wrong } = play(name, recording(name), { look: (index) => index % every === 0 });
      expect(wrong).toEqual([]);
    },
  );
});

/**
 * What is not yet mended though it had to be. `dual` may come back open while memory is copied, for an announcement may be
 * over. A port without a record is none of ours where no migration runs. A VMIM that is being deleted pins nothing.
 */
function unmended(wrong: readonly string[]): readonly string[] {
  return wrong.filter((line) => !/ open (\d,\d) instead of dual \1$|: unbound instead of pinned \d$/.test(line));
}

describe('what a neighbour does to the row before each look is mended by that look', () => {
  test.each(NAMES)('%s, with the binding stripped', (name) => {
    const strip = (row: ModelRow) => {
      const { 'requested-chassis': _, 'activation-strategy': __, ...others } = row.options;
      row.replace(others);
    };
    const { row, wrong } = play(name, recording(name), { each: strip });
    expect(unmended(wrong)).toEqual([]);
    if (stories(name).at(-1) === 'unbound') expect(row.options).toEqual(THEIRS);
  });

  test.each(NAMES)('%s, with all options as they were one look ago', (name) => {
    let [before, now]: Options[] = [THEIRS, THEIRS];
    const stale = (row: ModelRow) => {
      [before, now] = [now!, row.options];
      row.replace(before);
    };
    expect(unmended(play(name, recording(name), { each: stale }).wrong)).toEqual([]);
  });

  test.each(NAMES)('%s, with all options as they were before the migration', (name) => {
    const { row, wrong } = play(name, recording(name), { each: (one) => one.replace(THEIRS) });
    expect(unmended(wrong)).toEqual([]);
    expect(row.options).toEqual(THEIRS);
  });
});
