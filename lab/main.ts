import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { ControlPlaneOptions } from './control-plane.ts';
import { killCommand } from './kill/command.ts';
import { RECORDED_PACE_MS } from './kubevirt/pace.ts';
import type { Mode } from './migrate/result.ts';
import { runMigrations, writeResult } from './migrate/run.ts';
import { summaryTable, timeline } from './migrate/timeline.ts';
import { pronounce, verdictOn } from './migrate/verdict.ts';
import { readResult, writeReport } from './report/write.ts';
import { scenariosCommand } from './scenarios/command.ts';
import { strategiesCommand } from './strategies/command.ts';
import { dependentsCommand } from './strategies/dependents-command.ts';
import { stripCommand } from './strategies/strip-command.ts';
import { underlayCommand } from './strategies/underlay-command.ts';
import { cleanUp } from './testbed/cleanup.ts';
import { describeVm, type TestbedDescription } from './testbed/description.ts';
import { OVN_SUITES, type OvnSuite } from './testbed/ovn-suite.ts';
import { readTestbed, startTestbed, type Testbed } from './testbed/testbed.ts';

const DIRECTORY = fileURLToPath(new URL('run', import.meta.url));
const OUT = fileURLToPath(new URL('out', import.meta.url));
const PREFIX = 'handover';

interface MigrateOptions {
  readonly mode: Mode;
  readonly migrations: number;
  readonly nics?: number;
  readonly ovn?: OvnSuite;
  readonly eventDelay: number;
  readonly pace: number;
  readonly idle: number;
  readonly gate: boolean;
  readonly kubernetes: NonNullable<ControlPlaneOptions['kubernetes']>;
  readonly json?: string;
  readonly report: boolean;
}

/** What a testbed shall be like; one that stands may be any where nothing is said. */
type Wanted = Pick<MigrateOptions, 'nics' | 'ovn'>;

const program = new Command('lab').description(
  'Real OVN chassis in network namespaces, a real guest in QEMU, and the hand-over between them.',
);

program
  .command('up')
  .description('leave a testbed standing: lab/run/{nb,sb}.sock are the OVN databases')
  .option('--nics <n>', 'interfaces of the VM, each on a logical switch of its own (default: 1)', positive)
  .addOption(ovnOption())
  .action(async (wanted: Wanted) => {
    const testbed = await startLabTestbed({ ...wanted, keep: true });
    console.log(`The testbed stands. Try: ovn-nbctl --db=${testbed.northbound} show`);
  });

program
  .command('down')
  .description('take the testbed down, and all that runs on it, or what is left of one')
  .action(async () => {
    await cleanUp({ directory: DIRECTORY, prefix: PREFIX });
    console.log('The testbed is gone.');
  });

program
  .command('migrate')
  .description('migrate a VM there and back while a client pings it and talks TCP to it')
  .addOption(
    new Option('--mode <mode>', 'who switches the port: the functions; a script, after the migration; or nobody has to')
      .choices(['handover', 'single', 'floor'])
      .default('handover'),
  )
  .option('--migrations <n>', 'how many, there and back', positive, 1)
  .option('--nics <n>', 'as for up; a testbed that stands has to have as many', positive)
  .addOption(ovnOption())
  .option('--event-delay <ms>', 'added between Kubernetes and the functions', milliseconds, 0)
  .option('--pace <ms>', "KubeVirt's time from a target pod's nodeName to the switch", milliseconds, RECORDED_PACE_MS)
  .option('--idle <ms>', 'a function without events ends after this time', milliseconds, 10_000)
  .option('--no-gate', 'create target pods without the scheduling gate')
  .addOption(
    new Option(
      '--kubernetes <whose>',
      "the lab's own API server and event source, or kube-apiserver and Knative's adapter",
    )
      .choices(['stand-in', 'real'])
      .default('stand-in'),
  )
  .option('--json <file>', 'write the figures there')
  .option('--report', 'draw the result, as `lab report` does, whatever it is', false)
  .addHelpText('after', '\nEnds with 1 if the network broke a promise, with 2 if the machine was too busy to tell.')
  .action(migrate);

for (const command of [
  scenariosCommand,
  killCommand,
  strategiesCommand,
  underlayCommand,
  dependentsCommand,
  stripCommand,
]) {
  program.addCommand(command({ directory: DIRECTORY, prefix: PREFIX }));
}

program
  .command('report')
  .description('draw results: lab/out/report.html and lab/out/report.svg')
  .argument('[file...]', 'results of `lab migrate --json`, of any modes', [`${OUT}/result.json`])
  .action(async (files: string[]) => {
    console.log(`The report: ${namesOf(await writeReport(await Promise.all(files.map(readResult)), OUT))}`);
  });

program.hook('preAction', (_, command) => {
  if (command.name() !== 'report') requireMachine();
});

try {
  await program.parseAsync();
} catch (error) {
  console.error(`lab: ${(error as Error).message}`);
  process.exitCode = 1;
}

async function migrate(options: MigrateOptions): Promise<void> {
  const testbed = await testbedForUse(options);
  // A signal must not leave a guest or a namespace behind; what the process itself does not end, the reaper does.
  const interrupted = (signal: NodeJS.Signals) => {
    console.error(`lab: ${signal}, cleaning up`);
    void testbed.release().finally(() => process.exit(130));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, interrupted);
  try {
    const report = await runMigrations({
      testbed: testbed.description,
      mode: options.mode,
      migrations: options.migrations,
      eventDelayMs: options.eventDelay,
      paceMs: options.pace,
      idleMs: options.idle,
      gate: options.gate,
      kubernetes: options.kubernetes,
      onProgress: progress,
      onMigration: (result) => console.log(`\n${timeline(result)}\n`),
    });
    if (options.json !== undefined) await writeResult(report, options.json);
    if (report.migrations.length > 1) console.log(`\n${summaryTable(report)}\n`);
    const files = [
      ...(options.json === undefined ? [] : [options.json]),
      ...(options.report ? await writeReport([report], OUT) : []),
    ];
    pronounce(verdictOn(report));
    if (files.length > 0) console.log(`Written: ${namesOf(files)}`);
  } finally {
    await testbed.release();
  }
}

/** The testbed of `lab up` if it stands; else one of its own, which ends with this command. */
async function testbedForUse(wanted: Wanted): Promise<{ description: TestbedDescription; release(): Promise<void> }> {
  if (existsSync(`${DIRECTORY}/testbed.json`)) {
    progress('using the testbed that stands');
    const description = await readTestbed(DIRECTORY);
    const nics = description.vms[0].interfaces.length;
    const { ovn } = description;
    if ((wanted.nics ?? nics) !== nics || (wanted.ovn ?? ovn) !== ovn)
      throw new Error(
        `the testbed that stands has the OVN of ${ovn} and a VM with ${nics} NICs; run 'lab down' first.`,
      );
    return { description, release: async () => {} };
  }
  const testbed = await startLabTestbed({ ...wanted, keep: false });
  const release = async () => {
    progress('taking the testbed down');
    await testbed.stop();
  };
  return { description: testbed, release };
}

async function startLabTestbed({ nics = 1, ovn = 'bookworm', keep }: Wanted & { keep: boolean }): Promise<Testbed> {
  const vms: Testbed['vms'] = [describeVm({ nics })];
  return startTestbed({ directory: DIRECTORY, prefix: PREFIX, vms, ovn, keep, onProgress: progress });
}

function ovnOption(): Option {
  const what = "Debian suite whose OVN runs: the machine's own 23.03, 25.03, or 26.03 and newer (default: bookworm)";
  return new Option('--ovn <suite>', what).choices(OVN_SUITES);
}

function namesOf(files: readonly string[]): string {
  return files.map((file) => relative('.', file)).join(', ');
}

function progress(step: string): void {
  console.log(`· ${step}`);
}

function requireMachine(): void {
  if (process.platform !== 'linux') throw new Error(`needs Linux, this is ${process.platform}.`);
  if (process.arch !== 'x64') throw new Error(`its guest is made for x86_64, this is ${process.arch}.`);
  if (process.getuid?.() !== 0) throw new Error('makes network namespaces: run it as root.');
}

function milliseconds(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('must be whole milliseconds.');
  return value;
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('must be a whole number from 1.');
  return value;
}
