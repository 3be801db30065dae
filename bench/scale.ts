/** What a step costs as OVN's databases grow: its time, the CPU of their servers, the function's memory. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { OvsdbClient, type WireCondition } from '../packages/ovsdb-client-ts/src/index.ts';
import { addPorts } from '../packages/ovsdb-client-ts/test/support/northbound.ts';
import { build, FunctionProcess } from '../test/functions/support/function.ts';
import type { OvnDatabase } from '../test/handover/support/ovn.ts';
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
/** Scans are whole: a cold step makes one or two. CPU time is not sharp, so the line is in the middle. */
const ONE_SCAN_AT_MOST = 1.5;

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
    let scan = { nb: Number.NaN, sb: Number.NaN };
    for (const size of sizes) {
      progress(`${size.toLocaleString('en')} ports`);
      await using installation = await Installation.start();
      await addPorts(installation.nb.remote, 0, size);
      await addPortBindings(installation.sb.remote, size);
      scan = await scans(installation);
      await using vm = await MigratingVm.create(installation);
      for await (const step of vm.steps()) {
        progress(`  ${step.function}`);
        for (let start = 0; start < options.starts; start++) {
          costs.push(...(await oneStart(size, step, vm, installation, options.events)));
        }
      }
    }
    return {
      setup: { ...KINDS, 'one scan of the largest, ms of CPU': `NB ${scan.nb.toFixed(1)}, SB ${scan.sb.toFixed(1)}` },
      series: seriesOf(costs, sizes),
      limits: limitsOf(costs, sizes, scan),
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

/** The CPU time of a server, ms, once it has done what it was asked for. */
async function settledCpu({ pid }: OvnDatabase): Promise<number> {
  for (let before = cpuMs(pid); ; before = cpuMs(pid)) {
    await sleep(5);
    if (cpuMs(pid) === before) return before;
  }
}

/** What one search for a VM's ports, and one for a port's binding, costs the servers, ms of CPU. */
async function scans({ nb, sb }: Installation): Promise<{ readonly nb: number; readonly sb: number }> {
  return {
    nb: await scanMs(nb, 'Logical_Switch_Port', ['external_ids', 'includes', ['map', [['pod', 'prod/none']]]]),
    sb: await scanMs(sb, 'Port_Binding', ['logical_port', '==', 'none']),
  };
}

async function scanMs(database: OvnDatabase, table: string, where: WireCondition): Promise<number> {
  await using client = new OvsdbClient({ remote: database.remote, database: database.name });
  const costs: number[] = [];
  for (let n = 0; n < 9; n++) {
    const before = await settledCpu(database);
    await client.transact([{ op: 'select', table, where: [where], columns: ['_uuid'] }]);
    costs.push((await settledCpu(database)) - before);
  }
  return median(costs);
}

function seriesOf(costs: readonly Cost[], sizes: readonly number[]): Series[] {
  return sizes.flatMap((size) => {
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
}

export function limitsOf(costs: readonly Cost[], sizes: readonly number[], scan: { nb: number; sb: number }): Limit[] {
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
    ...steps.flatMap((step) => [
      {
        what: `${step}, cold: scans of NB`,
        value: more({ step, kind: 'cold' }, 'nbCpuMs') / scan.nb,
        atMost: ONE_SCAN_AT_MOST,
      },
      {
        what: `${step}, cold: scans of SB`,
        value: more({ step, kind: 'cold' }, 'sbCpuMs') / scan.sb,
        atMost: ONE_SCAN_AT_MOST,
      },
    ]),
    { what: `a function's memory, MB more than at ${smallest} ports`, value: more({}, 'residentMb'), atMost: 5 },
  ];
}
