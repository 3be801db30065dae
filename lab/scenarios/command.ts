import { Command, InvalidArgumentError, Option } from 'commander';
import { RECORDED_PACE_MS } from '../kubevirt/pace.ts';
import { OVN_SUITES, type OvnSuite } from '../testbed/ovn-suite.ts';
import { withTestbed } from '../testbed/with-testbed.ts';
import { acts } from './acts.ts';
import { runScenarios, vmsOf } from './run.ts';
import type { Act } from './scenario.ts';
import { resultLine, summary } from './table.ts';

interface Options {
  readonly ovn: OvnSuite;
  readonly only?: string;
  readonly pace: number;
  readonly atOnce: number;
}

/** `lab scenarios`, on a testbed of its own. */
export function scenariosCommand(place: { directory: string; prefix: string }): Command {
  return new Command('scenarios')
    .description('play what can happen to VMs around a migration, on real OVN, and look at the rows at the end of each')
    .option('--only <text>', 'those whose name, or whose act, has this text in it')
    .addOption(new Option('--ovn <suite>', 'Debian suite whose OVN runs').choices(OVN_SUITES).default('bookworm'))
    .option('--pace <ms>', "KubeVirt's time from a target pod's nodeName to the switch", positive, RECORDED_PACE_MS)
    .option('--at-once <n>', 'how many are played side by side', positive, 8)
    .action((options: Options) => play(options, place));
}

/** Nodes 1 to 3, and the one that dies. */
export const NODES = 4;

async function play({ only, ovn, pace, atOnce }: Options, place: { directory: string; prefix: string }): Promise<void> {
  const chosen = only === undefined ? acts : choose(only);
  const [first, ...others] = vmsOf(chosen);
  if (first === undefined) throw new Error(`No scenario, and no act, has "${only}" in its name.`);
  const onProgress = (step: string) => console.log(`· ${step}`);
  const options = { ...place, ovn, vms: [first, ...others] as const, nodes: NODES, onProgress };
  await withTestbed(options, async (testbed) => {
    const startedAt = Date.now();
    const results = await runScenarios({
      testbed,
      acts: chosen,
      paceMs: pace,
      atOnce,
      onProgress,
      onResult: (result, done, of) => console.log(resultLine(result, done, of)),
    });
    console.log(`\n${summary(results, Date.now() - startedAt)}`);
    if (results.some(({ wrong }) => wrong.length > 0)) process.exitCode = 1;
  });
}

function choose(text: string): readonly Act[] {
  const has = (name: string) => name.toLowerCase().includes(text.toLowerCase());
  return acts
    .map((act) => (has(act.title) ? act : { ...act, scenarios: act.scenarios.filter(({ name }) => has(name)) }))
    .filter(({ scenarios }) => scenarios.length > 0);
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('must be a whole number from 1.');
  return value;
}
