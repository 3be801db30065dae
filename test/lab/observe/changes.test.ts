import { expect, test } from '@jest/globals';
import { Changes } from '../../../lab/observe/changes.ts';

test('a state that does not differ from the one before is not a change', () => {
  const changes = new Changes<{ up: boolean; names: string[] }>();
  changes.add({ up: false, names: ['a'] }, 1);
  changes.add({ up: false, names: ['a'] }, 2);
  changes.add({ up: true, names: ['a'] }, 3);
  expect(changes.list).toEqual([
    { at: 1, up: false, names: ['a'] },
    { at: 3, up: true, names: ['a'] },
  ]);
});

test('waiting for a state that is there already ends at once', async () => {
  const changes = new Changes<{ up: boolean }>();
  changes.add({ up: true }, 1);
  await expect(changes.until(({ up }) => up, { timeoutMs: 10_000 })).resolves.toEqual({ at: 1, up: true });
});

test('waiting ends with the first state that satisfies the condition', async () => {
  const changes = new Changes<{ step: number }>();
  const awaited = changes.until(({ step }) => step >= 2, { timeoutMs: 10_000 });
  for (const step of [1, 2, 3]) changes.add({ step }, step);
  await expect(awaited).resolves.toEqual({ at: 2, step: 2 });
});

test('waiting in vain ends with an error that holds the last state', async () => {
  const changes = new Changes<{ step: number }>();
  changes.add({ step: 1 }, 1);
  await expect(changes.until(({ step }) => step === 2, { timeoutMs: 20 })).rejects.toThrow('{"step":1,"at":1}');
});
