import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  HISTORY_ANNOTATION,
  historyAnnotations,
  type MigrationRecord,
  MOMENTS,
  mergeRecords,
  migrationRecordOf,
} from '../../../handover/decision/migration-record.ts';

const at = (time: string) => `2026-11-30T10:00:${time}Z`;
const written = (text: string) => migrationRecordOf({ metadata: { annotations: { [HISTORY_ANNOTATION]: text } } });

describe('the record of a migration', () => {
  const record: MigrationRecord = {
    source: 'worker-a',
    target: 'worker-b',
    pinned: { at: at('01.000'), by: 'reuse-port', lateMs: 12 },
    dual: { at: at('02.500') },
    warnings: [{ reason: 'IdentityDiffers', at: at('01.002') }],
  };

  test('is read as it was written', () => {
    expect(written(JSON.stringify(record))).toEqual(record);
    expect(written('{}')).toEqual({});
  });

  test('keeps what a later version of ours adds to it', () => {
    expect(written('{"opened":{"at":"later"}}')).toEqual({ opened: { at: 'later' } });
  });

  test('is none where the VMIM has no such annotation, or somebody has written something else into it', () => {
    expect(migrationRecordOf({ metadata: {} })).toBeUndefined();
    expect(migrationRecordOf({ metadata: { annotations: {} } })).toBeUndefined();
    const others = ['', '{', 'null', '[]', '{"dual":{}}', '{"dual":{"at":"now"}}', '{"warnings":[{"reason":"a b"}]}'];
    for (const other of others) expect([other, written(other)]).toEqual([other, undefined]);
  });

  test('is small also where everything happened', () => {
    const moment = { at: at('00.000'), by: 'disable-dual-chassis', lateMs: 100_000 };
    const full: MigrationRecord = {
      ...Object.fromEntries(MOMENTS.map((name) => [name, moment])),
      ...{ source: 'a'.repeat(63), target: 'b'.repeat(63), marginMs: 100_000 },
      warnings: Array.from({ length: 15 }, (_, index) => ({ reason: `${'R'.repeat(20)}${index}`, at: at('00.000') })),
    };
    expect(JSON.stringify(full).length).toBeLessThan(2_048);
  });

  test('has a moment for each that its schema names', () => {
    const schema = JSON.parse(
      readFileSync(new URL('../../../schemas/migration-record.schema.json', import.meta.url), 'utf8'),
    );
    const moments = Object.entries<{ $ref?: string }>(schema.properties).filter(([, { $ref }]) => $ref);
    expect(moments.map(([name]) => name)).toEqual(MOMENTS);
  });
});

describe('two that say something of one migration', () => {
  test('say it together, and the first time of each counts', () => {
    const one = { pinned: { at: at('01.000'), by: 'reuse-port' }, dual: { at: at('03.000'), by: 'reconcile' } };
    const other = { dual: { at: at('02.000'), by: 'enable-dual-chassis' }, released: { at: at('09.000') } };
    const together = { pinned: one.pinned, dual: other.dual, released: other.released };
    expect(mergeRecords(one, other)).toEqual(together);
    expect(mergeRecords(other, one)).toEqual(together);
  });

  test('keep of the same time who did it, and how late', () => {
    const seen = { dual: { at: at('02.000') } };
    const done = { dual: { at: at('02.000'), by: 'enable-dual-chassis', lateMs: 5 } };
    expect(mergeRecords(seen, done)).toEqual(done);
    expect(mergeRecords(done, seen)).toEqual(done);
    const byAnother = { dual: { at: at('02.000'), by: 'reconcile', lateMs: 9 } };
    expect(mergeRecords(byAnother, done)).toEqual(done);
    expect(mergeRecords(done, byAnother)).toEqual(done);
  });

  test('believe of the switch whoever knows more than the second', () => {
    const second = { switched: { at: at('05.000') } };
    const exact = { switched: { at: at('05.700') } };
    const laterExact = { switched: { at: at('05.900') } };
    for (const pair of [
      [second, exact],
      [exact, second],
      [exact, laterExact],
      [laterExact, exact],
    ] as const) {
      expect(mergeRecords(pair[0], pair[1])).toEqual(exact);
    }
    expect(mergeRecords(second, { switched: { at: at('06.000') } })).toEqual(second);
  });

  test('know the margin once both ends of it are known, and again when the switch is known better', () => {
    const dual = { dual: { at: at('02.500') } };
    expect(mergeRecords({}, dual).marginMs).toBeUndefined();
    expect(mergeRecords({}, { switched: { at: at('05.000') } }).marginMs).toBeUndefined();
    const known = mergeRecords(dual, { switched: { at: at('05.000') } });
    expect(known.marginMs).toBe(2_500);
    expect(mergeRecords(known, { switched: { at: at('05.700') } }).marginMs).toBe(3_200);
  });

  test('warn once of each reason, with its first time, in the order of time', () => {
    const warn = (reason: string, time: string) => ({ reason, at: at(time) });
    const one = { warnings: [warn('NoPort', '03.000'), warn('ClaimMissed', '04.000')] };
    const other = { warnings: [warn('ClaimMissed', '01.000'), warn('Another', '03.000')] };
    const together = [warn('ClaimMissed', '01.000'), warn('Another', '03.000'), warn('NoPort', '03.000')];
    expect(mergeRecords(one, other).warnings).toEqual(together);
    expect(mergeRecords(other, one).warnings).toEqual(together);
    expect(mergeRecords({}, {})).toEqual({});
  });

  test('keep the nodes that the first has named', () => {
    expect(mergeRecords({ source: 'worker-a' }, { source: 'worker-c', target: 'worker-b' })).toEqual({
      source: 'worker-a',
      target: 'worker-b',
    });
  });

  const moment = fc.record(
    {
      at: fc.constantFrom(at('01.000'), at('01.500'), at('02.000'), at('02.001')),
      by: fc.constantFrom('reconcile', 'reuse-port'),
    },
    { requiredKeys: ['at'] },
  );
  const records: fc.Arbitrary<MigrationRecord> = fc
    .record({
      ...Object.fromEntries(MOMENTS.map((name) => [name, fc.option(moment, { nil: undefined })])),
      warnings: fc.array(
        fc.record({ reason: fc.constantFrom('A', 'B', 'C'), at: fc.constantFrom(at('01.000'), at('02.000')) }),
      ),
    })
    .map((record) => mergeRecords({}, JSON.parse(JSON.stringify(record))));

  test('may say it in any order, together or apart, and as often as they like', () => {
    fc.assert(
      fc.property(records, records, records, (a, b, c) => {
        const text = (record: MigrationRecord) => JSON.stringify(record);
        expect(text(mergeRecords(a, b))).toBe(text(mergeRecords(b, a)));
        expect(text(mergeRecords(mergeRecords(a, b), c))).toBe(text(mergeRecords(a, mergeRecords(b, c))));
        expect(text(mergeRecords(mergeRecords(a, b), b))).toBe(text(mergeRecords(a, b)));
        expect(written(text(mergeRecords(a, b)))).toEqual(mergeRecords(a, b));
      }),
    );
  });
});

describe('the annotations of a record', () => {
  test('are all of it as JSON, and what is counted of it each by itself', () => {
    const record: MigrationRecord = {
      pinned: { at: at('01.000'), lateMs: 12 },
      dual: { at: at('02.000'), lateMs: 250 },
      released: { at: at('09.000') },
      marginMs: -20,
      warnings: [
        { reason: 'PortOverwritten', at: at('03.000') },
        { reason: 'ClaimMissed', at: at('04.000') },
      ],
    };
    expect(historyAnnotations(record)).toEqual({
      'ovn-handover.dev/history': JSON.stringify(record),
      'ovn-handover.dev/stage': 'released',
      'ovn-handover.dev/margin-ms': '-20',
      'ovn-handover.dev/late-ms': '250',
      'ovn-handover.dev/warnings': 'ClaimMissed,PortOverwritten',
    });
  });

  test('say nothing of what is not known', () => {
    expect(historyAnnotations({ pinned: { at: at('01.000') } })).toEqual({
      'ovn-handover.dev/history': '{"pinned":{"at":"2026-11-30T10:00:01.000Z"}}',
      'ovn-handover.dev/stage': 'pinned',
    });
    expect(historyAnnotations({})).toEqual({ 'ovn-handover.dev/history': '{}' });
    expect(historyAnnotations({ marginMs: 0 })).toMatchObject({ 'ovn-handover.dev/margin-ms': '0' });
  });
});
