import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Cluster } from '../handover/support/cluster.ts';
import { object } from '../handover/support/moments.ts';
import { OvnDatabase } from '../handover/support/ovn.ts';
import { build, FunctionProcess } from './support/function.ts';

const IN_FLIGHT = 100;
const CODE_CACHE = new URL('../../dist/functions.cache', import.meta.url);
const directory = mkdtempSync(join(tmpdir(), 'handover-process-'));

let nb: OvnDatabase;
let sb: OvnDatabase;
let cluster: Cluster;
let settings: Record<string, string>;

beforeAll(async () => {
  build();
  [nb, sb, cluster] = await Promise.all([OvnDatabase.start('nb'), OvnDatabase.start('sb'), Cluster.start()]);
  const kubeconfig = join(directory, 'kubeconfig');
  writeFileSync(kubeconfig, cluster.kubeconfig);
  const step = { FUNC_STEP: 'disable-dual-chassis', KUBECONFIG: kubeconfig };
  settings = { ...step, OVN_NB_REMOTE: nb.remote, OVN_SB_REMOTE: sb.remote };
}, 60_000);
afterAll(async () => {
  await Promise.all([nb, sb, cluster].map((part) => part?.[Symbol.asyncDispose]()));
  rmSync(directory, { recursive: true });
});

test(`SIGTERM while ${IN_FLIGHT} requests are in flight: each is answered, no other is taken for ready, the status is 0`, async () => {
  await using ending = await FunctionProcess.start(settings);
  const probe = async (path: string) => (await fetch(`${ending.url}${path}`)).text();
  nb.hang(true);
  try {
    const answers = Array.from({ length: IN_FLIGHT }, (_, vm) =>
      ending.send(object('vmim-01-pending', { spec: { vmiName: `vm-${vm}` } })),
    );
    // The handlers have been called, and none can go on without OVN.
    while (!new RegExp(`^faas_invocations\\{.*\\} ${IN_FLIGHT}$`, 'm').test(await probe('/metrics'))) await sleep(10);

    ending.child.kill('SIGTERM');
    while ((await fetch(`${ending.url}/health/readiness`)).ok) await sleep(10);
    expect(await probe('/health/liveness')).toBe('OK');
    nb.hang(false);

    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    expect(statuses).toEqual(Array(IN_FLIGHT).fill(204));
    if (ending.child.exitCode === null) await once(ending.child, 'exit');
    expect(ending.child.exitCode).toBe(0);
  } finally {
    nb.hang(false);
  }
}, 20_000);

describe('what nobody caught ends the process with status 1 and a line of why', () => {
  test.each([
    ['an exception', 'setTimeout(() => { throw new Error("lost screw"); }, 200)'],
    ['a rejection', 'setTimeout(() => { Promise.reject(new Error("lost screw")); }, 200)'],
  ])(
    '%s',
    async (_, accident) => {
      const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(accident)}`;
      const { status, stderr } = await FunctionProcess.end({ ...settings, NODE_OPTIONS });
      expect(stderr).toMatch(/^Error: lost screw\n/);
      expect(status).toBe(1);
    },
    30_000,
  );
});

describe('the code that V8 compiled when the functions were built', () => {
  test('is taken: nothing is said of it', async () => {
    const { stderr } = await FunctionProcess.end({ ...settings, FUNC_STEP: 'none' });
    expect(stderr).toMatch(/^settings: FUNC_STEP [^\n]*\n$/);
  }, 30_000);

  test('is not needed: with that of another Node.js a function serves all the same, and says why it is slow', async () => {
    const cache = readFileSync(CODE_CACHE);
    writeFileSync(
      CODE_CACHE,
      cache.map((byte, index) => (index < 16 ? byte ^ 1 : byte)),
    );
    try {
      await using slow = await FunctionProcess.start(settings);
      expect(await slow.send(object('vmim-01-pending'))).toMatchObject({ status: 204 });
      expect(slow.stderr).toMatch(/^[^\n]*functions.cache [^\n]*built again\n$/);
    } finally {
      writeFileSync(CODE_CACHE, cache);
    }
  }, 30_000);
});

test('there is one copy of cloudevents: what a function returns is what the runtime takes for an event', () => {
  const here = createRequire(import.meta.url);
  const runtime = createRequire(here.resolve('faas-js-runtime'));
  expect(runtime.resolve('cloudevents')).toBe(here.resolve('cloudevents'));
});
