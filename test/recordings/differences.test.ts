import { describe, expect, test } from '@jest/globals';
import { type Course, courseOf, type Role } from './course.ts';
import { differences, outdated } from './differences.ts';
import { migrationsIn, recording } from './recording.ts';

const events = recording('success-bridge');
const [migration] = migrationsIn(events);
const real = courseOf(events, migration!.metadata.uid);

type Words = readonly (readonly string[])[];
const but = (role: Role, change: (writes: Words) => Words): Course =>
  new Map([...real].map(([one, writes]) => [one, one === role ? change(writes) : writes]));

test('a recording tells all five objects of a migration, and does not differ from itself', () => {
  expect([...real.keys()].sort()).toEqual(['VM', 'VMI', 'VMIM', 'source pod', 'target pod']);
  expect(differences([real], real)).toEqual([]);
});

describe('a course differs from a recording when', () => {
  test.each<[string, Course, string]>([
    ['a write is missing', but('VMIM', (writes) => writes.toSpliced(3, 1)), 'VMIM: never status.phase=Scheduling'],
    [
      'it says something that no recording says',
      but('VMI', (writes) => [...writes, ['status.evacuationNodeName=source']]),
      'VMI: status.evacuationNodeName=source, which no recording has',
    ],
    [
      'two writes come in another order',
      but('VMIM', ([...writes]) => [...writes.slice(0, 3), writes[4]!, writes[3]!, ...writes.slice(5)]),
      'VMIM: status.phase=Scheduled is written before status.phase=Scheduling, and not after it',
    ],
    [
      'two writes come as one',
      but('VM', ([first, second, ...rest]) => [[...first!, ...second!], ...rest]),
      'VM: status.printableStatus=Migrating is written with status.printableStatus=Running, and not before it',
    ],
    [
      'something is written twice',
      but('VM', ([first, ...rest]) => [first!, first!, ...rest]),
      'VM: status.printableStatus=Migrating (2), which no recording has',
    ],
    [
      'an object has no course at all',
      new Map([...real].filter(([role]) => role !== 'VM')),
      'VM: never status.ready=true',
    ],
  ])('%s', (_when, course, difference) => {
    expect(differences([real], course)).toContain(difference);
  });
});

test('what any of several recordings has is right', () => {
  const together = but('VM', ([first, second, ...rest]) => [[...first!, ...second!], ...rest]);
  expect(differences([real, together], real)).toEqual([]);
  expect(differences([real, together], together)).toEqual([]);
});

test('a known difference is left out, and told when there is nothing left of it', () => {
  const known = { role: 'VM', words: /^status\.ready/, reason: 'a test' } as const;
  const course = but('VM', (writes) => writes.map((words) => words.filter((word) => word !== 'status.ready=true')));
  expect(differences([real], course)).toEqual(['VM: never status.ready=true']);
  expect(differences([real], course, [known])).toEqual([]);
  expect(outdated([real], [course], [known])).toEqual([]);
  expect(outdated([real], [course], [{ ...known, words: /^nothing/ }])).toEqual(['/^nothing/']);
});
