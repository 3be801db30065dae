import { expect, test } from '@jest/globals';
import { timelineText } from '../../../cli/history/command.ts';
import { type DatedMigration, pastMigrations } from '../../../cli/history/past-migration.ts';
import { historyAnnotations, type MigrationRecord } from '../../../handover/decision/migration-record.ts';

const RECORD: MigrationRecord = {
  source: 'worker-a',
  target: 'worker-b',
  pinned: { at: '2026-12-01T12:00:00.110Z', by: 'reuse-port', lateMs: 34 },
  dual: { at: '2026-12-01T12:00:00.550Z', by: 'enable-dual-chassis' },
  switched: { at: '2026-12-01T12:00:03.620Z' },
  marginMs: 3_070,
  warnings: [{ reason: 'TargetNotClaimed', at: '2026-12-01T12:00:02.000Z' }],
};

function vmim(
  name: string,
  created: string,
  more: Partial<DatedMigration> & { annotations?: Record<string, string> } = {},
) {
  const { annotations, ...rest } = more;
  const metadata = {
    name,
    namespace: 'prod',
    uid: name,
    creationTimestamp: created,
    ...(annotations && { annotations }),
  };
  return { metadata, spec: { vmiName: 'web-01' }, ...rest } as DatedMigration;
}

const MOVED = vmim('move', '2026-12-01T12:00:00Z', {
  annotations: historyAnnotations(RECORD),
  status: {
    phase: 'Succeeded',
    phaseTransitionTimestamps: [{ phase: 'Running', phaseTransitionTimestamp: '2026-12-01T12:00:01Z' }],
  },
});

test('what KubeVirt, the functions and warnings tell of a migration is one story, in order', () => {
  const [migration] = pastMigrations([MOVED], 'web-01');
  expect(timelineText(migration!, { columns: 100, hasColour: false, print() {}, progress() {} })).toBe(
    [
      'move: worker-a → worker-b, Succeeded, asked for at 2026-12-01T12:00:00Z',
      '     0.110 s  reuse-port           ports pinned to the source, 34 ms after its event',
      '     0.550 s  enable-dual-chassis  ports dual',
      '     1     s  KubeVirt             Running',
      '     2.000 s  warning              TargetNotClaimed',
      '     3.620 s  KubeVirt             guest runs on the target',
      '  margin from dual to the switch: 3070 ms',
    ].join('\n'),
  );
});

test('a switch of which only the second is known is told as that second, and the margin as between two bounds', () => {
  const switched = { at: '2026-12-01T12:00:03.000Z' };
  const annotations = historyAnnotations({ ...RECORD, switched });
  const [migration] = pastMigrations([vmim('move', '2026-12-01T12:00:00Z', { annotations })], 'web-01');
  expect(migration!.timeline.map(({ what, precisionMs }) => [what, precisionMs])).toEqual([
    ['ports pinned to the source, 34 ms after its event', 1],
    ['ports dual', 1],
    ['TargetNotClaimed', 1],
    ['guest runs on the target', 1_000],
  ]);
  expect(migration!.margin).toEqual({ atLeastMs: 2_450, atMostMs: 3_449 });
  const text = timelineText(migration!, { columns: 100, hasColour: false, print() {}, progress() {} });
  expect(text).toContain('     3     s  KubeVirt             guest runs on the target\n');
  expect(text).toContain('  margin from dual to the switch: 2450 to 3449 ms, since KubeVirt tells the second');
});

test('those of other VMs are left out, the oldest comes first, and one without a record is told to have none', () => {
  const other = { ...vmim('other', '2026-12-01T10:00:00Z'), spec: { vmiName: 'web-02' } };
  const broken = vmim('broken', '2026-12-01T11:00:00Z', {
    annotations: { 'ovn-handover.dev/history': '{"pinned":1}' },
  });
  const all = pastMigrations([MOVED, other, broken], 'web-01');
  expect(all.map(({ name, record }) => [name, record !== undefined])).toEqual([
    ['broken', false],
    ['move', true],
  ]);
});
