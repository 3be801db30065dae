/** Every scenario on real OVN, by the built functions in their own processes, with endpoints in place of guests. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { RECORDED_PACE_MS } from '../../../lab/kubevirt/pace.ts';
import { acts } from '../../../lab/scenarios/acts.ts';
import { NODES } from '../../../lab/scenarios/command.ts';
import { runScenarios, type ScenarioResult, vmsOf } from '../../../lab/scenarios/run.ts';
import { startTestbed, type Testbed } from '../../../lab/testbed/testbed.ts';

let directory: string;
let testbed: Testbed;
let results: readonly ScenarioResult[];

beforeAll(async () => {
  const build = spawnSync(process.execPath, ['--conditions=ovn-handover-source', 'scripts/build.ts'], {
    encoding: 'utf8',
  });
  if (build.status !== 0) throw new Error(build.stderr);
  directory = await mkdtemp(join(tmpdir(), 'scenes-'));
  const [first, ...others] = vmsOf(acts);
  testbed = await startTestbed({ directory, prefix: 'scenes', vms: [first!, ...others], nodes: NODES });
  const quiet = () => {};
  results = await runScenarios({
    testbed,
    acts,
    paceMs: RECORDED_PACE_MS,
    atOnce: 8,
    onProgress: quiet,
    onResult: quiet,
  });
}, 1_800_000);

afterAll(async () => {
  await testbed?.stop();
  await rm(directory, { recursive: true, force: true });
}, 60_000);

describe.each(acts)('$title', ({ scenarios }) => {
  test.each(scenarios)('$name', ({ name }) => {
    expect(results.find((result) => result.name === name)).toMatchObject({ wrong: [] });
  });
});

test('no two scenarios have one name', () => {
  const names = acts.flatMap(({ scenarios }) => scenarios.map(({ name }) => name));
  expect(new Set(names).size).toBe(names.length);
});
