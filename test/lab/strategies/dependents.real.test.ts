/** Ports that depend on a dual one: the rows of docs/ovn-versions.md, on the machine's own OVN. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, jest, test } from '@jest/globals';
import {
  type Dependent,
  type DependentCell,
  dependentPorts,
  faultsOf,
  STAGES,
} from '../../../lab/strategies/dependents.ts';
import { startTestbed } from '../../../lab/testbed/testbed.ts';

jest.setTimeout(300_000);

let cells: readonly DependentCell[];

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'ovn-handover-'));
  const testbed = await startTestbed({ directory, prefix: `d${process.pid}` });
  try {
    cells = await dependentPorts(testbed, () => {});
  } finally {
    await testbed.stop();
    await rm(directory, { recursive: true });
  }
});

/** The stages at which something is wrong that the pattern tells of. */
function stagesOf(dependent: Dependent, fault: RegExp): readonly string[] {
  const own = cells.filter((cell) => cell.dependent === dependent);
  expect(own.map(({ stage }) => stage)).toEqual(STAGES);
  return own.filter((cell) => faultsOf(cell).some((each) => fault.test(each))).map(({ stage }) => stage);
}

test('a container port that nobody requests a chassis for is fought over on OVN 23.03 until the source is unplugged', () => {
  expect(stagesOf('container, as it is', /in turn/)).toEqual([
    'pinned to the source',
    'dual',
    'RARP from the target',
    'announced by itself',
    'pinned to the target',
  ]);
});

test("a container port with its parent's requested chassis and no strategy is reached wherever the guest runs", () => {
  expect(stagesOf('container, dual and open', /in turn|nothing/)).toEqual([]);
});

test("a container port with its parent's strategy stays closed when its parent opens, until it is announced itself", () => {
  expect(stagesOf('container, dual and held', /it sends nothing from the target/)).toEqual(['RARP from the target']);
});

test('a virtual port is fought over while its parent is dual, and reached all the same', () => {
  // Once the target has announced it, the fight may be over before the parent is pinned.
  expect(stagesOf('virtual', /in turn/).slice(0, 2)).toEqual(['dual', 'RARP from the target']);
  expect(stagesOf('virtual', /nothing/)).toEqual([]);
});

test('a cell tells what is wrong for the side on which the guest runs', () => {
  const cell = { dependent: 'virtual', claimed: ['a'], claims: 0 } as const;
  const source = { source: true, target: false };
  expect(faultsOf({ ...cell, stage: 'dual', reached: source, sends: source })).toEqual([]);
  expect(
    faultsOf({ ...cell, stage: 'dual', claims: 2, reached: source, sends: { source: true, target: true } }),
  ).toEqual(['two chassis claim it in turn (2 changes in 3 s)', 'it sends from the target, where no guest runs yet']);
  expect(faultsOf({ ...cell, stage: 'RARP from the target', reached: source, sends: source })).toEqual([
    'nothing reaches it on the target',
    'it sends nothing from the target',
  ]);
});
