/** Whatever ends the start of a cluster, nothing is left of it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, jest, test } from '@jest/globals';
import { buildParts } from '../../lab/cluster/build/parts.ts';
import { cgroupOf, DIRECTORY, PREFIX } from '../../lab/cluster/description.ts';
import { isStanding } from '../../lab/cluster/up.ts';
import { namespacesOf } from '../../lab/testbed/namespaces.ts';

const START_WITHIN_MS = 3_600_000;
const GONE_WITHIN_MS = 60_000;
const UP = ['--conditions=ovn-handover-source', '--no-warnings', 'lab/cluster/cli.ts', 'up', '--no-knative'];

jest.setTimeout(600_000);

beforeAll(async () => {
  if (await isStanding()) throw new Error("A cluster stands; 'npm run cluster -- down' ends it.");
  await buildParts(() => {}, { knative: false });
}, START_WITHIN_MS);

/** All that is left of a cluster on the machine. */
async function remains(): Promise<string[]> {
  const cgroups = globSync(`/sys/fs/cgroup/*/${cgroupOf({ prefix: PREFIX })}`);
  const files = globSync('/proc/[0-9]*/{cmdline,mountinfo}');
  const mentions = files.map(async (file) =>
    (await readFile(file, 'utf8').catch(() => '')).includes(`${DIRECTORY}/`) ? [file] : [],
  );
  return [...(await namespacesOf(PREFIX)), ...cgroups, ...(await Promise.all(mentions)).flat()];
}

async function nothingIsLeft(): Promise<void> {
  const giveUpAt = Date.now() + GONE_WITHIN_MS;
  while ((await remains()).length > 0 && Date.now() < giveUpAt) await sleep(200);
  expect(await remains()).toEqual([]);
}

/** Starts a cluster; resolves, while it still starts, when its output has the words. */
async function startUntil(words: string) {
  const child = spawn(process.execPath, UP, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) if (line.includes(words)) return { child, exit };
  throw new Error(`The start ended before it said '${words}'.`);
}

const MOMENTS = ['starting 3 chassis', 'starting etcd', 'starting node1 and node2', "applying KubeVirt's operator"];

test.each(MOMENTS)('after Ctrl-C while it is %s nothing is left', async (words) => {
  const { child, exit } = await startUntil(words);
  expect(await remains()).not.toEqual([]);
  child.kill('SIGINT');
  expect(await exit).toEqual([130, null]);
  await nothingIsLeft();
});

test.each(MOMENTS)('after its parent was killed while it is %s nothing is left', async (words) => {
  const { child, exit } = await startUntil(words);
  child.kill('SIGKILL');
  await exit;
  await nothingIsLeft();
});
