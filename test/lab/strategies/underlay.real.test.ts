/** What passes on a localnet network while a port is dual: the figures of docs/ovn-versions.md, on the machine's own OVN. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { type Mtus, type Path, underlayPaths } from '../../../lab/strategies/underlay.ts';
import { startTestbed } from '../../../lab/testbed/testbed.ts';

jest.setTimeout(300_000);

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ovn-handover-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

async function pathsWith(mtus: Mtus): Promise<readonly Path[]> {
  const testbed = await startTestbed({ directory, prefix: `u${process.pid}` });
  try {
    return await underlayPaths(testbed, mtus, () => {});
  } finally {
    await testbed.stop();
  }
}

test('full-size packets pass while a port is pinned; while it is dual they do not, and from a third chassis without a word', async () => {
  const paths = await pathsWith({ fabric: 1500, plug: 1500, guest: 1500 });
  const dual = paths.filter(({ stage }) => stage.startsWith('dual'));
  const pinned = paths.filter((path) => !dual.includes(path));
  expect(new Set(pinned.map(({ largest, tcp }) => `${largest} ${tcp}`))).toEqual(new Set(['1500 true']));

  const black = dual.filter(({ told }) => told === undefined);
  expect(black.map(({ peer, towards, largest, tcp }) => [peer, towards, largest, tcp])).toEqual([
    ['on another chassis', 'guest', 1442, false],
    ['on another chassis', 'guest', 1442, false],
  ]);
  const heard = dual.filter((path) => !black.includes(path));
  expect(new Set(heard.map(({ largest, told }) => `${largest} ${told}`))).toEqual(new Set(['1428 1424']));
  // TCP goes by what it is told; to the third chassis its answers still vanish.
  expect(heard.filter(({ tcp }) => !tcp).map(({ peer }) => peer)).toEqual(['on another chassis', 'on another chassis']);
});

test('a fabric that carries more, and an interface on the chassis that shows it, let full-size packets pass while dual', async () => {
  const paths = await pathsWith({ fabric: 1600, plug: 1600, guest: 1500 });
  expect(new Set(paths.map(({ largest, tcp }) => `${largest} ${tcp}`))).toEqual(new Set(['1500 true']));
});

test("where the guest's MTU is 100 less than the fabric's no packet vanishes: whoever sends too much while dual is told", async () => {
  const paths = await pathsWith({ fabric: 1500, plug: 1400, guest: 1400 });
  expect(new Set(paths.map(({ largest, told, tcp }) => `${largest} ${told} ${tcp}`))).toEqual(
    new Set(['1400 undefined true', '1328 1324 true']),
  );
});
