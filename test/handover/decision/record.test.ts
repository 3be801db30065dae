import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  carriesRecord,
  RECORD_BINDING_KEY,
  RECORD_KEYS,
  recordEntries,
  recordOf,
  SINCE_KEY,
} from '../../../handover/decision/record.ts';
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

  test('can be searched for by its binding, and be told from another to the same end by its time', () => {
    const entries = recordEntries(PINNED, SINCE);
    expect(entries[RECORD_BINDING_KEY]).toBe('pinned');
    expect(entries[SINCE_KEY]).toBe('2026-08-20T10:00:01.234Z');
  });

  test('is carried by options that say just that, whenever they were written and whatever stands beside', () => {
    const options = { mcast_flood: 'true', 'requested-chassis': 'x', ...recordEntries(DUAL, SINCE) };
    expect(carriesRecord(options, DUAL)).toBe(true);
    expect(carriesRecord({ ...options, ...recordEntries(DUAL, new Date()) }, DUAL)).toBe(true);
    expect(carriesRecord(recordEntries(PINNED, SINCE), PINNED)).toBe(true);
  });

  test('is not carried by options that differ in any of its fields, or have none of it', () => {
    for (const field of ['vmi', 'migration', 'source', 'target']) {
      expect(carriesRecord(recordEntries(DUAL, SINCE), { ...DUAL, [field]: 'x' })).toBe(false);
    }
    expect(carriesRecord(recordEntries(DUAL, SINCE), { ...DUAL, binding: 'pinned' })).toBe(false);
    expect(carriesRecord(recordEntries(PINNED, SINCE), { ...PINNED, target: 'worker-b' })).toBe(false);
    expect(carriesRecord(recordEntries(DUAL, SINCE), { ...DUAL, target: undefined })).toBe(false);
    expect(carriesRecord({ mcast_flood: 'true' }, PINNED)).toBe(false);
  });

  test.each(RECORD_KEYS)('is not gone as long as %s is there', (key) => {
    expect(carriesRecord({ mcast_flood: 'true', [key]: 'x' }, undefined)).toBe(false);
  });

  test('is gone where none of its keys is there', () => {
    expect(carriesRecord({ mcast_flood: 'true', 'requested-chassis': 'x' }, undefined)).toBe(true);
  });
});
