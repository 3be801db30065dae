import { Command, InvalidArgumentError, Option } from 'commander';
import { Choices } from '../../explore/choices.ts';
import { RECORDED_PACE_MS } from '../kubevirt/pace.ts';
import { describeVm } from '../testbed/description.ts';
import { OVN_SUITES, type OvnSuite } from '../testbed/ovn-suite.ts';
import { withTestbed } from '../testbed/with-testbed.ts';
import { runKills } from './run.ts';
import { migrationLine, verdictOf } from './table.ts';

interface Options {
  readonly ovn: OvnSuite;
  readonly migrations: number;
  readonly kills: number;
  readonly nbRestarts: number;
  readonly atOnce: number;
  readonly pace: number;
  readonly seed: number;
}

/** `lab kill`, on a testbed of its own. */
export function killCommand(place: { directory: string; prefix: string }): Command {
  return new Command('kill')
    .description('migrate many VMs side by side while functions are killed at random, and look at the rows each time')
    .option('--migrations <n>', 'how many in all', number, 100)
    .option('--kills <n>', 'how often a function is killed (SIGKILL)', number, 200)
    .option('--nb-restarts <n>', 'how often the northbound server is killed and started again', number, 10)
    .option('--at-once <n>', 'how many VMs migrate side by side', number, 10)
    .addOption(new Option('--ovn <suite>', 'Debian suite whose OVN runs').choices(OVN_SUITES).default('bookworm'))
    .option('--pace <ms>', "KubeVirt's time from a target pod's nodeName to the switch", number, RECORDED_PACE_MS)
    .option('--seed <n>', 'of what is chosen at random', number, Date.now() % 1_000_000)
    .action((options: Options) => kill(options, place));
}

async function kill(options: Options, place: { directory: string; prefix: string }): Promise<void> {
  const { migrations, kills, nbRestarts: restarts, atOnce, pace: paceMs, seed } = options;
  const onProgress = (step: string) => console.log(`· ${step}`);
  console.log(`seed ${seed}`);
  const vm = (index: number) => describeVm({ name: `vm${String(index + 1).padStart(2, '0')}`, index });
  const others = Array.from({ length: atOnce - 1 }, (_, index) => vm(index + 1));
  await withTestbed({ ...place, ovn: options.ovn, vms: [vm(0), ...others], onProgress }, async (testbed) => {
    const report = await runKills({
      testbed,
      ...{ migrations, kills, restarts, paceMs, onProgress },
      random: new Choices({ seed }),
      onMigration: (line, done) => console.log(migrationLine(line, done, migrations)),
    });
    const { text, passed } = verdictOf(report, { kills, restarts });
    console.log(`\n${text}`);
    if (!passed) process.exitCode = 1;
  });
}

function number(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('must be a whole number.');
  return value;
}
