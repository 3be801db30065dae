/** What a stripped dual port becomes by each way to put it back: the rows of docs/ovn-versions.md, on the machine's own OVN. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, jest, test } from '@jest/globals';
import { type Mend, type Strip, type StripCell, strippedPorts } from '../../../lab/strategies/strip.ts';
import { startTestbed } from '../../../lab/testbed/testbed.ts';

jest.setTimeout(200_000);

let cells: readonly StripCell[];

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'ovn-handover-'));
  const testbed = await startTestbed({ directory, prefix: `s${process.pid}` });
  try {
    cells = await strippedPorts(testbed, () => {});
  } finally {
    await testbed.stop();
    await rm(directory, { recursive: true });
  }
});

const SOURCE = { source: true, target: false };
const TARGET = { source: false, target: true };
const BOTH = { source: true, target: true };

function of(strip: Strip, mend: Mend) {
  const { mended, announced } = cells.find((cell) => cell.strip === strip && cell.mend === mend)!;
  return [mended, announced];
}

test('what was stripped before the RARP is held again once it is dual with the strategy, and the RARP opens it', () => {
  expect(of('both options, before the RARP', 'dual and held')).toEqual([SOURCE, BOTH]);
  expect(of('the strategy, before the RARP', 'dual and held')).toEqual([SOURCE, BOTH]);
});

test('what was stripped after the RARP is closed to the guest by a dual binding with the strategy, until another RARP', () => {
  expect(of('both options, after the RARP', 'dual and held')).toEqual([SOURCE, BOTH]);
});

test('what lost the strategy alone after the RARP stays open when it gets the strategy back', () => {
  expect(of('the strategy, after the RARP', 'dual and held')).toEqual([BOTH, BOTH]);
});

test.each(['both options, before the RARP', 'both options, after the RARP'] as const)(
  'stripped of %s, a dual binding without the strategy opens both sides, and a pin the side that it names',
  (strip) => {
    expect(of(strip, 'dual and open')).toEqual([BOTH, BOTH]);
    expect(of(strip, 'pinned to the target')).toEqual([TARGET, TARGET]);
    expect(of(strip, 'pinned to the source')).toEqual([SOURCE, SOURCE]);
  },
);
