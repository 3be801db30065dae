/** What a step costs as OVN's databases grow: its time, the CPU of their servers, the function's memory. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { OvsdbClient, type WireCondition } from '../packages/ovsdb-client-ts/src/index.ts';
import { build, FunctionProcess } from '../testkit/function-process.ts';
import type { OvnDatabase } from '../testkit/ovn.ts';
import { addPorts } from '../testkit/ovsdb.ts';
import { Installation } from './cloud/installation.ts';
import { type DueStep, MigratingVm } from './cloud/migrating-vm.ts';
import { addPortBindings } from './cloud/port-bindings.ts';
import type { Benchmark, Limit, Series } from './harness/benchmark.ts';
import { positive } from './harness/options.ts';
import { cpuMs, residentMb } from './harness/process.ts';
import { median } from './harness/statistics.ts';

const SIZES = [100, 1_000, 10_000, 100_000];
const KINDS = {
  cold: 'the first event of a process',
  hinted: "the first event of a process, with the port's uuids",
  warm: 'later events of a process',
} as const;
type Kind = keyof typeof KINDS;

/**
 * How often a cold step searches a database. `enable-dual-chassis` also looks, once in a minute for all VMs and after its
 * commit, what else a dual binding has effects on.
 */
const coldScans = (step: DueStep['function'], database: 'nb' | 'sb') =>
  step === 'enable-dual-chassis' && database === 'sb' ? 2 : 1;

/** One event. */
export interface Cost {
  readonly size: number;
  readonly step: DueStep['function'];
  readonly kind: Kind;
  readonly ms: number;
  readonly nbCpuMs: number;
  readonly sbCpuMs: number;
  readonly residentMb: number;
}

/** One sweep of a warm `reconcile` that finds nothing to do: no VM migrates, and no port has a record. */
export interface Sweep {
  readonly size: number;
  readonly ms: number;
  readonly nbCpuMs: number;
  readonly sbCpuMs: number;
}

/** What one search for a VM's ports, and one for a port's binding, cost the servers just before a cold start. */
export interface Scan {
  readonly step: DueStep['function'];
  readonly nbCpuMs: number;
  readonly sbCpuMs: number;
}

interface Options {
  readonly largest: number;
  readonly starts: number;
  readonly events: number;
}

export default {
  command: new Command('scale')
    .description(`each step with ${SIZES.map((size) => size.toLocaleString('en')).join(', ')} ports in OVN`)
    .option('--largest <n>', 'leave out what is larger', positive, SIZES.at(-1))
    .option('--starts <n>', 'cold starts of each step, and as many with a hint', positive, 15)
    .option('--events <n>', 'warm ones after each cold start', positive, 10),
  async run(options: Options, progress) {
    progress('building the functions');
    build();
    const sizes = SIZES.filter((size) => size <= options.largest);
    const costs: Cost[] = [];
    const sweeps: Sweep[] = [];
    let scans: Scan[] = [];
    for (const size of sizes) {
      progress(`${size.toLocaleString('en')} ports`);
      await using installation = await Installation.start();
      await addPorts(installation.nb.remote, 0, size);
      await addPortBindings(installation.sb.remote, size);
      scans = [];
      progress('  reconcile, with nothing to do');
      sweeps.push(...(await idleSweeps(size, installation, options.starts)));
      await using vm = await MigratingVm.create(installation);
      for await (const step of vm.steps()) {
        progress(`  ${step.function}`);
        for (let start = 0; start < options.starts; start++) {
          scans.push({ step: step.function, ...(await scan(installation)) });
          costs.push(...(await oneStart(size, step, vm, installation, options.events)));
        }
      }
    }
    return {
      setup: { ...KINDS, scan: "by hand, a search for a VM's ports and one for a port's binding" },
      series: [...seriesOf(costs, sizes, scans), ...sweepSeries(sweeps, sizes)],
      limits: limitsOf(costs, sizes, scans),
    };
  },
} satisfies Benchmark;

/** A process that is woken cold and is warm then, and one that gets a hint, if there is one for the step. */
async function oneStart(
  size: number,
  step: DueStep,
  vm: MigratingVm,
  installation: Installation,
  events: number,
): Promise<Cost[]> {
  const { nb, sb } = installation;
  const settings = installation.settings(step.function);
  const costs: Cost[] = [];
  const send = async (kind: Kind, event: object, to: FunctionProcess) => {
    await vm.undo();
    const before = [await settledCpu(nb), await settledCpu(sb)] as const;
    const ms = await vm.commit(() => to.send(event, { 'ce-type': step.type }));
    costs.push({
      ...{ size, step: step.function, kind, ms, residentMb: residentMb(to.child.pid!) },
      ...{ nbCpuMs: (await settledCpu(nb)) - before[0], sbCpuMs: (await settledCpu(sb)) - before[1] },
    });
  };
  await using woken = await FunctionProcess.start(settings);
  await send('cold', step.event, woken);
  for (let event = 0; event < events; event++) await send('warm', step.event, woken);
  if (step.hinted === undefined) return costs;
  await using hinted = await FunctionProcess.start(settings);
  await send('hinted', step.hinted, hinted);
  return costs;
}

async function idleSweeps(size: number, installation: Installation, count: number): Promise<Sweep[]> {
  const { nb, sb } = installation;
  await using reconcile = await FunctionProcess.start(installation.settings('reconcile'));
  const sweep = async (): Promise<Sweep> => {
    const before = [await settledCpu(nb), await settledCpu(sb)] as const;
    const startedAt = performance.now();
    const { status } = await reconcile.send({}, { 'ce-type': 'dev.knative.sources.ping' });
    const ms = performance.now() - startedAt;
    if (status !== 204) throw new Error(`a sweep of an idle cluster was answered with ${status}, 204 was expected`);
    return { size, ms, nbCpuMs: (await settledCpu(nb)) - before[0], sbCpuMs: (await settledCpu(sb)) - before[1] };
  };
  // The first makes the connections.
  await sweep();
  const sweeps: Sweep[] = [];
  while (sweeps.length < count) sweeps.push(await sweep());
  return sweeps;
}

/** The CPU time of a server, ms, once it has done what it was asked for. */
async function settledCpu({ pid }: OvnDatabase): Promise<number> {
  for (let before = cpuMs(pid); ; before = cpuMs(pid)) {
    await sleep(5);
    if (cpuMs(pid) === before) return before;
  }
}

async function scan({ nb, sb }: Installation): Promise<Omit<Scan, 'step'>> {
  const ofVm: WireCondition = ['external_ids', 'includes', ['map', [['pod', 'prod/none']]]];
  return {
    nbCpuMs: await scanMs(nb, 'Logical_Switch_Port', ofVm),
    sbCpuMs: await scanMs(sb, 'Port_Binding', ['logical_port', '==', 'none']),
  };
}

async function scanMs(database: OvnDatabase, table: string, where: WireCondition): Promise<number> {
  await using client = new OvsdbClient({ remote: database.remote, database: database.name });
  await client.transact([]);
  const before = await settledCpu(database);
  await client.transact([{ op: 'select', table, where: [where], columns: ['_uuid'] }]);
  return (await settledCpu(database)) - before;
}

function seriesOf(costs: readonly Cost[], sizes: readonly number[], scans: readonly Scan[]): Series[] {
  const series = sizes.flatMap((size): Series[] => {
    const here = costs.filter((cost) => cost.size === size);
    const kinds = [...Map.groupBy(here, ({ kind }) => kind)];
    return [
      ...[...Map.groupBy(here, ({ step, kind }) => `${step}, ${kind}`)].map(
        ([name, of]): Series => ({ name: `${size} ports: ${name}`, unit: 'ms', values: of.map(({ ms }) => ms) }),
      ),
      ...kinds.flatMap(([kind, of]): Series[] => [
        { name: `${size} ports: CPU of NB, ${kind}`, unit: 'ms', values: of.map(({ nbCpuMs }) => nbCpuMs) },
        { name: `${size} ports: CPU of SB, ${kind}`, unit: 'ms', values: of.map(({ sbCpuMs }) => sbCpuMs) },
      ]),
      { name: `${size} ports: a function's memory`, unit: 'MB', values: here.map(({ residentMb }) => residentMb) },
    ];
  });
  return [
    ...series,
    { name: `${sizes.at(-1)} ports: CPU of NB, scan`, unit: 'ms', values: scans.map(({ nbCpuMs }) => nbCpuMs) },
    { name: `${sizes.at(-1)} ports: CPU of SB, scan`, unit: 'ms', values: scans.map(({ sbCpuMs }) => sbCpuMs) },
  ];
}

function sweepSeries(sweeps: readonly Sweep[], sizes: readonly number[]): Series[] {
  return sizes.flatMap((size): Series[] => {
    const here = sweeps.filter((sweep) => sweep.size === size);
    const name = `${size} ports: reconcile, nothing to do`;
    return [
      { name, unit: 'ms', values: here.map(({ ms }) => ms) },
      { name: `${name}, CPU of NB`, unit: 'ms', values: here.map(({ nbCpuMs }) => nbCpuMs) },
      { name: `${name}, CPU of SB`, unit: 'ms', values: here.map(({ sbCpuMs }) => sbCpuMs) },
    ];
  });
}

/** @param scans of the largest size. */
export function limitsOf(costs: readonly Cost[], sizes: readonly number[], scans: readonly Scan[]): Limit[] {
  const [smallest, largest] = [sizes[0]!, sizes.at(-1)!];
  const at = (size: number, like: Partial<Cost>, figure: 'ms' | 'nbCpuMs' | 'sbCpuMs' | 'residentMb') =>
    median(
      costs
        .filter((cost) => Object.entries({ ...like, size }).every(([key, value]) => cost[key as keyof Cost] === value))
        .map((cost) => cost[figure]),
    );
  const more = (like: Partial<Cost>, figure: 'nbCpuMs' | 'sbCpuMs' | 'residentMb') =>
    at(largest, like, figure) - at(smallest, like, figure);
  const steps = [...new Set(costs.map(({ step }) => step))];
  const kindsOf = (step: string) => [...new Set(costs.filter((cost) => cost.step === step).map(({ kind }) => kind))];
  return [
    ...steps.flatMap((step) =>
      kindsOf(step)
        .filter((kind) => kind !== 'cold')
        .map((kind) => ({
          what: `${step}, ${kind}: time, x that at ${smallest} ports`,
          value: at(largest, { step, kind }, 'ms') / at(smallest, { step, kind }, 'ms'),
          atMost: 1.5,
        })),
    ),
    ...steps.flatMap((step) =>
      (['nb', 'sb'] as const).map((database) => ({
        what: `${step}, cold: scans of ${database.toUpperCase()}`,
        value:
          more({ step, kind: 'cold' }, `${database}CpuMs`) /
          median(scans.filter((scan) => scan.step === step).map((scan) => scan[`${database}CpuMs`])),
        atMost: coldScans(step, database) + 0.25,
      })),
    ),
    { what: `a function's memory, MB more than at ${smallest} ports`, value: more({}, 'residentMb'), atMost: 5 },
  ];
}
