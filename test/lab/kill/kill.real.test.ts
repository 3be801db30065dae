/** Functions and the northbound server killed while VMs migrate; `npm run lab -- kill` does more of it. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Choices } from '../../../explore/choices.ts';
import { runKills } from '../../../lab/kill/run.ts';
import { verdictOf } from '../../../lab/kill/table.ts';
import { describeVm } from '../../../lab/testbed/description.ts';
import { startTestbed, type Testbed } from '../../../lab/testbed/testbed.ts';

const KILLS = 20;
const RESTARTS = 1;

let directory: string;
let testbed: Testbed;

beforeAll(async () => {
  const build = spawnSync(process.execPath, ['--conditions=ovn-handover-source', 'scripts/build.ts'], {
    encoding: 'utf8',
  });
  if (build.status !== 0) throw new Error(build.stderr);
  directory = await mkdtemp(join(tmpdir(), 'kill-'));
  const vm = (index: number) => describeVm({ name: `vm${index}`, index });
  testbed = await startTestbed({ directory, prefix: 'killtest', vms: [vm(0), vm(1), vm(2), vm(3)] });
}, 90_000);

afterAll(async () => {
  await testbed?.stop();
  await rm(directory, { recursive: true, force: true });
}, 60_000);

test('all ports are right after each migration, though functions and the northbound server are killed', async () => {
  const report = await runKills({
    testbed,
    migrations: 10,
    kills: KILLS,
    restarts: RESTARTS,
    random: new Choices({ seed: 1 }),
    paceMs: 1_000,
    onProgress: () => {},
    onMigration: () => {},
  });
  const { text, passed } = verdictOf(report, { kills: KILLS, restarts: RESTARTS });
  expect(passed ? 'passed' : text).toBe('passed');
}, 300_000);
