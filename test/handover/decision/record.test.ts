import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RECORD_KEYS, recordEntries, recordOf, sameRecord } from '../../../handover/decision/record.ts';
import { DUAL, PINNED, SINCE } from '../support/ports.ts';

describe('the record on a port', () => {
  test('has the keys that the design promises, with time in UTC and milliseconds', () => {
    expect(recordEntries(DUAL, SINCE)).toEqual({
      'handover-vmi': DUAL.vmi,
      'handover-migration': DUAL.migration,
      'handover-binding': 'dual',
      'handover-source': 'worker-a',
      'handover-target': 'worker-b',
      'handover-since': '2026-08-20T10:00:01.234Z',
    });
  });

  test('knows all of its keys, so that all can be deleted', () => {
    expect([...RECORD_KEYS].sort()).toEqual(Object.keys(recordEntries(DUAL, SINCE)).sort());
  });

  test('comes back as it was written, whatever stands beside it', () => {
    fc.assert(
      fc.property(
        fc.record({
          vmi: fc.string(),
          migration: fc.string(),
          binding: fc.constantFrom('pinned' as const, 'dual' as const),
          source: fc.string(),
          target: fc.option(fc.string(), { nil: undefined }),
        }),
        fc.dictionary(fc.string(), fc.string()),
        (record, others) => {
          expect(recordOf({ ...others, ...recordEntries(record, SINCE) })).toEqual(record);
        },
      ),
    );
  });

  test.each(['handover-vmi', 'handover-migration', 'handover-binding', 'handover-source'])(
    'is none without %s',
    (key) => {
      const { [key]: _left, ...rest } = recordEntries(DUAL, SINCE);
      expect(recordOf(rest)).toBeUndefined();
    },
  );

  test('is none with a binding that is not ours', () => {
    expect(recordOf({ ...recordEntries(DUAL, SINCE), 'handover-binding': 'triple' })).toBeUndefined();
    expect(recordOf({})).toBeUndefined();
  });

  test('is the same whenever it was written, and another one in any of its fields', () => {
    expect(sameRecord(DUAL, { ...DUAL })).toBe(true);
    expect(sameRecord(undefined, undefined)).toBe(true);
    expect(sameRecord(DUAL, undefined)).toBe(false);
    expect(sameRecord(undefined, DUAL)).toBe(false);
    for (const field of ['vmi', 'migration', 'binding', 'source', 'target']) {
      expect(sameRecord(DUAL, { ...DUAL, [field]: 'x' })).toBe(false);
    }
    expect(sameRecord(PINNED, { ...PINNED, target: 'worker-b' })).toBe(false);
  });
});
