import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { ACTIONS } from '../../handover/decision/events.ts';

test('each Event that a function may record stands in the docs, with its action', () => {
  const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `(\w+)` +\| (?:Normal|Warning) +\| `([A-Z]\w+)` +\| /gm)];
  expect(Object.fromEntries(rows.map(([, reason, action]) => [reason, action]))).toEqual(ACTIONS);
});
