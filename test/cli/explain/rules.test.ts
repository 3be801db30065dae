import { expect, test } from '@jest/globals';
import { rulesTried } from '../../../cli/explain/rules.ts';
import { desired } from '../../../handover/decision/desired.ts';
import { always } from '../../handover/support/whatever.ts';

test('the rule that explain calls the first to hold is the one that desired goes by, whatever is seen', () => {
  const seen = new Set<string>();
  always((facts, record) => {
    // Another port of the VM may have a record where this one has none.
    for (const isRecorded of [record !== undefined, true]) {
      const tried = rulesTried(facts, record, isRecorded);
      const wanted = desired(facts, record, isRecorded);
      seen.add(wanted.rule);
      expect(tried.at(-1)).toMatchObject({ rule: wanted.rule, holds: true });
      expect(tried.slice(0, -1).every(({ holds }) => !holds)).toBe(true);
    }
  });
  expect([...seen].sort()).toEqual(['1', '2', '2b', '3a', '3b', '3c', '3d', '4', '5']);
});
