import { Command, InvalidArgumentError, Option } from 'commander';
import type { Mode } from '../../migrate/result.ts';
import { writeResult } from '../../migrate/run.ts';
import { summaryTable, timeline } from '../../migrate/timeline.ts';
import { pronounce, verdictOn } from '../../migrate/verdict.ts';
import { readCluster } from '../description.ts';
import { functionsAreCold, functionsAreDeployed } from './functions.ts';
import { setGate } from './gate.ts';
import { inFabric } from './in-fabric.ts';
import { migrateOnCluster } from './run.ts';

interface MigrateOptions {
  readonly vm: string;
  readonly mode?: Mode;
  readonly migrations: number;
  readonly cold: boolean;
  readonly gate: boolean;
  readonly cancelAt?: string;
  readonly json?: string;
}

const PHASES = ['Pending', 'Scheduling', 'Scheduled', 'PreparingTarget', 'TargetReady', 'Running'];

export function migrateCommand(onProgress: (step: string) => void): Command {
  return new Command('migrate')
    .description('migrate a VM there and back while the client pings it and talks TCP to it')
    .option('--vm <name>', 'which VM', 'web-01')
    .addOption(
      new Option(
        '--mode <mode>',
        'who switches the port: the functions; a script, after the migration; or nobody has to ' +
          '(default: handover where the functions are deployed, else single)',
      ).choices(['handover', 'single', 'floor']),
    )
    .option('--migrations <n>', 'how many, there and back', positive, 1)
    .option('--cold', 'wait before each until no function runs', false)
    .option('--no-gate', 'create target pods without the scheduling gates')
    .addOption(new Option('--cancel-at <phase>', 'delete the VMIM when it is in this phase').choices(PHASES))
    .option('--json <file>', 'write the figures there')
    .action(inFabric((options: MigrateOptions) => migrate(options, onProgress)));
}

async function migrate(options: MigrateOptions, onProgress: (step: string) => void): Promise<void> {
  const cluster = await readCluster();
  const vm = cluster.testbed.vms.find(({ name }) => name === options.vm);
  if (vm === undefined) throw new Error(`there is no VM ${options.vm}.`);
  const deployed = await functionsAreDeployed(cluster);
  const mode = options.mode ?? (deployed ? 'handover' : 'single');
  if (mode === 'handover' && !deployed) throw new Error('the functions are not deployed here.');
  const gate = mode === 'handover' && options.gate;
  if (deployed && !gate) await setGate(cluster, false);
  try {
    const report = await migrateOnCluster({
      ...options,
      cluster,
      mode,
      vm,
      gate,
      onProgress,
      before: async () => {
        if (!options.cold) return;
        onProgress('waiting until no function runs');
        await functionsAreCold(cluster);
      },
      onMigration: (result) => console.log(`\n${timeline(result)}\n`),
    });
    if (options.json !== undefined) await writeResult(report, options.json);
    if (report.migrations.length > 1) console.log(`\n${summaryTable(report)}\n`);
    if (options.cancelAt === undefined) pronounce(verdictOn(report));
  } finally {
    if (deployed && !gate) await setGate(cluster, true);
  }
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('must be a whole number from 1.');
  return value;
}
