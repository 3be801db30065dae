import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Cluster } from '../../testkit/cluster.ts';
import { build, FunctionProcess } from '../../testkit/function-process.ts';
import { object } from '../../testkit/moments.ts';
import { addChassis, OvnDatabase } from '../../testkit/ovn.ts';

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

describe('an activation strategy', () => {
  const strategy = { OVN_ACTIVATION_STRATEGY: 'garp' };
  test('that no chassis of this OVN knows ends the process with status 1 and a line of what to set, once OVN can be asked', async () => {
    addChassis(sb, 'chassis-a', 'worker-a', '10.0.0.1');
    await sb.kill();
    const waiting = await FunctionProcess.start({ ...settings, ...strategy });
    expect((await waiting.send(object('vmim-01-pending'))).status).toBe(204);
    const exit = once(waiting.child, 'close');
    await sb.start();
    expect(await exit).toEqual([1, null]);
    expect(waiting.stderr).toMatch(
      /^settings: OVN_ACTIVATION_STRATEGY is garp, but on all 1 chassis ovn-controller knows only rarp [^\n]* set rarp, or upgrade OVN [^\n]*\n$/,
    );
  }, 60_000);

  test('that some chassis know is served', async () => {
    addChassis(sb, 'chassis-b', 'worker-b', '10.0.0.2');
    sb.ctl('set', 'Chassis', 'chassis-b', 'other_config:ovn-evpn-vxlan-ports=""');
    await using serving = await FunctionProcess.start({ ...settings, ...strategy });
    // Longer than it takes to end in the test before.
    await sleep(1_500);
    expect((await serving.send(object('vmim-01-pending'))).status).toBe(204);
    expect(serving.child.exitCode).toBe(null);
  }, 60_000);
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

describe('a function at work', () => {
  const ask = async (url: string, path: string) => (await fetch(`${url}${path}`)).text();

  test('logs what it decides as lines of JSON with what is looked for as fields, and nothing of probes and requests', async () => {
    const away = { OVN_NB_REMOTE: `unix:${directory}/nobody`, LOG_LEVEL: 'debug' };
    await using working = await FunctionProcess.start({ ...settings, ...away });
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    await ask(working.url, '/health/readiness');
    await ask(working.url, '/health/liveness');
    expect((await working.send(object('vmim-01-pending'), { 'ce-traceparent': traceparent })).status).toBe(503);
    expect((await working.send({ kind: 'Pod' })).status).toBe(422);
    for (const giveUpAt = Date.now() + 5_000; working.log.length < 2 && Date.now() < giveUpAt; await sleep(20));
    const line = { function: 'disable-dual-chassis', vmi: 'prod/web-01', event: 'f3a1', traceparent };
    expect(working.log).toEqual([
      expect.objectContaining({ level: 40, ...line, result: 'retry', msg: expect.stringContaining('OVN northbound') }),
      expect.objectContaining({ level: 40, result: 'rejected', msg: expect.stringContaining('not an event of ours') }),
    ]);
  }, 30_000);

  test('counts what it answers with 503 as an error, under its own name', async () => {
    await using failing = await FunctionProcess.start({ ...settings, OVN_NB_REMOTE: `unix:${directory}/nobody` });
    expect((await failing.send(object('vmim-01-pending'))).status).toBe(503);
    expect((await failing.send({ kind: 'Pod' })).status).toBe(422);
    const metrics = await ask(failing.url, '/metrics');
    expect(metrics).toMatch(/^faas_errors\{faas_name="disable-dual-chassis",.*\} 1$/m);
    expect(metrics).toMatch(/^faas_invocations\{faas_name="disable-dual-chassis",.*\} 2$/m);
  }, 30_000);
});
