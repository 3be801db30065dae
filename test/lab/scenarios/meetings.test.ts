import { expect, test } from '@jest/globals';
import { Meetings } from '../../../lab/scenarios/meetings.ts';
import type { Act, Scenario } from '../../../lab/scenarios/scenario.ts';
import type { Stage } from '../../../lab/scenarios/stage.ts';

const stage = {} as Stage;
const scenario: Scenario = { name: 'any', play: async () => [] };

function actOf(held: string[], scenarios: number): Act {
  const hold = (what: string) => async () => void held.push(what);
  return {
    title: 'an act',
    meetings: { first: hold('first'), second: hold('second') },
    scenarios: Array.from({ length: scenarios }, () => scenario),
  };
}

test('a meeting is held once, when all have come', async () => {
  const held: string[] = [];
  const meetings = new Meetings(actOf(held, 2));
  const one = meetings.attend('first', stage);
  await Promise.resolve();
  expect(held).toEqual([]);
  await Promise.all([one, meetings.attend('first', stage)]);
  expect(held).toEqual(['first']);
});

test('who has left is not waited for', async () => {
  const held: string[] = [];
  const meetings = new Meetings(actOf(held, 3));
  const one = meetings.attend('first', stage);
  meetings.leave();
  await Promise.all([one, meetings.attend('first', stage)]);
  const second = meetings.attend('second', stage);
  meetings.leave();
  await second;
  expect(held).toEqual(['first', 'second']);
});

test('a meeting that the act has not, and one that fails, is an error of all who came', async () => {
  const meetings = new Meetings(actOf([], 1));
  await expect(meetings.attend('third', stage)).rejects.toThrow('no meeting "third"');
  const fails: Act = { ...actOf([], 1), meetings: { first: () => Promise.reject(new Error('it rains')) } };
  await expect(new Meetings(fails).attend('first', stage)).rejects.toThrow('it rains');
});
