/**
 * VMs migrate, by chance, on real databases and with the built functions; again and again it is looked whether a function then
 * does what explain has said, and at the end whether history has the times that OVN's own monitor saw.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { OvsdbClient } from 'ovsdb-client-ts';
import { FUNCTIONS } from '../../cli/cluster/installation.ts';
import { EXIT } from '../../cli/errors.ts';
import type { Explanation } from '../../cli/explain/explanation.ts';
import type { PastMigration } from '../../cli/history/past-migration.ts';
import type { FunctionName } from '../../handover/decision/desired.ts';
import { OPTION_KEYS } from '../../handover/decision/port.ts';
import { recordOf, SINCE_KEY } from '../../handover/decision/record.ts';
import { build, FunctionProcess } from '../../testkit/function-process.ts';
import { addPort, addPortBinding, type Watch } from '../../testkit/ovn.ts';
import { Installed } from './support/installed.ts';
import { pick, RandomVm } from './support/random-vm.ts';

jest.setTimeout(1_800_000);

const LOOKS = 200;
const VMS = 5;
/** Of what functions commit, history tells the same time as OVN's own monitor. */
const TOLERANCE_MS = 50;
/** Where processes have to wait for the machine for longer, most of a difference is that. */
const QUIET_MS = 20;

type Options = Readonly<Record<string, string>>;

interface State {
  readonly options: Options;
  readonly at: number;
}

let installed: Installed;
const functions = new Map<FunctionName, FunctionProcess>();
const clients: OvsdbClient[] = [];
const vms: RandomVm[] = [];
let watch: Watch;
/** How long a process waits for the machine. */
const waits = monitorEventLoopDelay({ resolution: 5 });
/** Each state of each port, as OVN's own monitor told of it. */
const states = new Map<string, State[]>();

beforeAll(async () => {
  build();
  installed = await Installed.start();
  const { nb, sb, kubeconfig, cluster } = installed;
  const client = ({ remote, name }: typeof nb) => {
    const made = new OvsdbClient({ remote, database: name });
    clients.push(made);
    return made;
  };
  const [northbound, southbound] = [client(nb), client(sb)];
  for (let number = 0; number < VMS; number++) {
    const name = `vm-${number}`;
    const port = `${name}.prod`;
    addPort(nb, port, `prod/${name}`);
    addPortBinding(sb, port, number + 1);
    await cluster.createVm(name);
    vms.push(new RandomVm(installed, northbound, southbound, port));
  }
  const settings = { KUBECONFIG: kubeconfig, OVN_NB_REMOTE: nb.remote, OVN_SB_REMOTE: sb.remote };
  for (const name of FUNCTIONS) functions.set(name, await FunctionProcess.start({ ...settings, FUNC_STEP: name }));
  watch = await nb.watch('Logical_Switch_Port', ['name', 'options'], (row) => {
    const options = Object.fromEntries((row.options as ['map', [string, string][]])[1]);
    states.set(String(row.name), [...(states.get(String(row.name)) ?? []), { options, at: Date.now() }]);
  });
}, 300_000);
afterAll(async () => {
  await watch?.stop();
  await Promise.all([...functions.values()].map((each) => each[Symbol.asyncDispose]()));
  await Promise.all(clients.map((client) => client.close()));
  await installed?.[Symbol.asyncDispose]();
});

/** What was found in one look. */
interface Seen {
  readonly name: FunctionName;
  readonly rule: string;
  readonly said: 'writes' | 'ungates' | 'again' | 'nothing';
}

test(`explain agrees with what the functions then do in ${LOOKS} random looks while VMs migrate`, async () => {
  const seen: Seen[] = [];
  waits.enable();
  await Promise.all(
    vms.map(async (vm) => {
      while (seen.length < LOOKS) {
        await vm.next();
        const one = await look(vm);
        if (one) seen.push(one);
      }
    }),
  );
  waits.disable();
  const count = (said: Seen['said']) => seen.filter((one) => one.said === said).length;
  const rules = [...new Set(seen.map(({ rule }) => rule))].sort();
  const counts = {
    writes: count('writes'),
    ungates: count('ungates'),
    again: count('again'),
    nothing: count('nothing'),
  };
  process.stdout.write(`${seen.length} looks: ${JSON.stringify(counts)}, rules ${rules.join(' ')}\n`);
  // Otherwise it would have agreed on little.
  expect(counts.writes).toBeGreaterThan(LOOKS / 8);
  expect(counts.nothing).toBeGreaterThan(LOOKS / 8);
  expect(counts.ungates).toBeGreaterThan(0);
  expect(rules).toEqual(expect.arrayContaining(['3a', '3b', '3d', '5']));
  expect(new Set(seen.filter(({ said }) => said === 'writes').map(({ name }) => name)).size).toBe(FUNCTIONS.length);
});

test(`history has the times of commits as OVN's own monitor saw them, within ${TOLERANCE_MS} ms`, async () => {
  const differences = new Map<string, number[]>();
  for (const { name, port } of vms) {
    const { out } = await installed.cli('history', `prod/${name}`, '-o', 'json');
    const { migrations } = JSON.parse(out) as { migrations: readonly PastMigration[] };
    for (const { uid, record = {} } of migrations) {
      for (const [moment, at] of Object.entries(observed(states.get(port)!, uid))) {
        const told = record[moment as Committed]?.at;
        expect({ uid, moment, told }).toEqual({ uid, moment, told: expect.any(String) });
        differences.set(moment, [...(differences.get(moment) ?? []), Math.abs(Date.parse(told!) - at)]);
      }
    }
  }
  const waitedMs = waits.percentile(90) / 1e6;
  const figures = [...differences].map(([moment, all]) => {
    const sorted = all.sort((a, b) => a - b);
    return { moment, count: all.length, least: sorted[0]!, median: sorted[all.length >> 1]!, most: sorted.at(-1)! };
  });
  process.stdout.write(
    `${figures.map((one) => JSON.stringify(one)).join('\n')}\nthe machine: ${waitedMs.toFixed(1)} ms\n`,
  );
  expect(figures.map(({ moment }) => moment)).toEqual(expect.arrayContaining(['pinned', 'dual', 'pinnedToTarget']));
  // A busy machine delays some commits and what tells of them; what is told wrongly is so each time.
  for (const { least, most } of figures) {
    expect(waitedMs < QUIET_MS ? most : least).toBeLessThanOrEqual(TOLERANCE_MS);
  }
});

type Committed = 'pinned' | 'dual' | 'pinnedToTarget' | 'pinnedBack' | 'released';

/** When each binding of a migration was seen first. */
function observed(all: readonly State[], uid: string): Partial<Record<Committed, number>> {
  const seen: Partial<Record<Committed, number>> = {};
  let before: string | undefined;
  for (const { options, at } of all) {
    const record = recordOf(options);
    if (record?.migration === uid) seen[bindingOf(record)] ??= at;
    if (before === uid && record === undefined) seen.released = at;
    before = record?.migration;
  }
  return seen;
}

function bindingOf({ binding, source, target }: NonNullable<ReturnType<typeof recordOf>>): Committed {
  if (binding === 'dual') return 'dual';
  if (target === undefined) return 'pinned';
  return source === target ? 'pinnedBack' : 'pinnedToTarget';
}

/** Asks explain, calls a function, and compares; what the function waits for comes about meanwhile. */
async function look(vm: RandomVm): Promise<Seen | undefined> {
  const [before, gates] = [await vm.options(), await vm.gates()];
  // What others have just written the monitor may not have told yet; it is not to be taken for what the function does.
  const hasFollowed = () => isDeepStrictEqual(states.get(vm.port)?.at(-1)?.options, before);
  for (const giveUpAt = Date.now() + 5_000; !hasFollowed() && Date.now() < giveUpAt; ) await sleep(5);
  const stateCount = states.get(vm.port)!.length;
  const { status, out, err } = await installed.cli('explain', `prod/${vm.name}`, '-o', 'json');
  // A busy machine may leave OVN without an answer in time, which explain tells as what it is.
  if (status === EXIT.unreachable) return undefined;
  expect({ status, err }).toEqual({ status: EXIT.ok, err: '' });
  const explained = JSON.parse(out) as Explanation;
  const { rule } = explained.ports[0]!;
  const acting = explained.functions.filter(({ writes, ungates }) => writes.length + ungates.length > 0);
  const said = pick(acting.length > 0 && Math.random() < 0.6 ? acting : explained.functions);
  const { name, writes, ungates, again } = said;
  const of = { vm: vm.name, story: vm.story.slice(-12).join(', '), name, rule, said };

  const expectedOptions = writes[0] ? written(before, writes[0].options) : bare(before);
  const expectedGates = { ...gates };
  for (const { pod, gates: taken } of ungates) {
    expectedGates[pod] = (expectedGates[pod] ?? []).filter((gate) => !taken.includes(gate));
  }
  const call = functions.get(name)!.send(vm.object);
  let isOver = false;
  call.finally(() => {
    isOver = true;
  });
  const left = (now: typeof gates) => Object.values(now).flat().length;
  // A function that has more to do looks again: what it does at its first look is what was explained.
  while (!isOver && (again !== undefined ? !isDone() || left(await vm.gates()) > left(expectedGates) : true)) {
    await sleep(20);
  }
  const changes = await changesSince();
  if (writes.length > 0 || again === undefined) {
    expect({ ...of, options: changes[0] ?? bare(before) }).toEqual({ ...of, options: expectedOptions });
  }
  const gatesNow = await vm.gates();
  expect({ ...of, gates: again === undefined ? gatesNow : left(gatesNow) <= left(expectedGates) }).toEqual({
    ...of,
    gates: again === undefined ? expectedGates : true,
  });
  if (!isOver) await vm.next();
  const answer = await call;
  expect([200, 204, 503]).toContain(answer.status);
  return {
    name,
    rule,
    said: writes[0] ? 'writes' : ungates[0] ? 'ungates' : again !== undefined ? 'again' : 'nothing',
  };

  function isDone(): boolean {
    return writes.length === 0 || states.get(vm.port)!.length > stateCount;
  }

  /** The row after each commit; the monitor may come a moment later than the answer. */
  async function changesSince(): Promise<Options[]> {
    const isChanged = JSON.stringify(bare(await vm.options())) !== JSON.stringify(bare(before));
    const giveUpAt = Date.now() + 5_000;
    while (isChanged && states.get(vm.port)!.length === stateCount && Date.now() < giveUpAt) await sleep(10);
    return states
      .get(vm.port)!
      .slice(stateCount)
      .map(({ options }) => bare(options));
  }
}

function written(before: Options, options: Options): Options {
  const others = Object.entries(before).filter(([key]) => !OPTION_KEYS.includes(key));
  return bare({ ...Object.fromEntries(others), ...options });
}

/** Without the time of a write, which is its own. */
function bare({ [SINCE_KEY]: _since, ...options }: Options): Options {
  return Object.fromEntries(Object.entries(options).sort(([a], [b]) => a.localeCompare(b)));
}
