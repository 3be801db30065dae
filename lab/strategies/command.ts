import { Command, Option } from 'commander';
import { OVN_SUITES, type OvnSuite } from '../testbed/ovn-suite.ts';
import { withTestbed } from '../testbed/with-testbed.ts';
import { ADDRESSES, type Cell, isForeseen, STRATEGIES, strategyMatrix } from './matrix.ts';

/** `lab strategies`, on a testbed of its own. */
export function strategiesCommand(place: { directory: string; prefix: string }): Command {
  return new Command('strategies')
    .description("look what an OVN makes of each activation strategy, by the port's addresses, and what we make of it")
    .addOption(new Option('--ovn <suite>', 'Debian suite whose OVN runs').choices(OVN_SUITES).default('bookworm'))
    .action(({ ovn }: { ovn: OvnSuite }) => look(ovn, place));
}

async function look(ovn: OvnSuite, place: { directory: string; prefix: string }): Promise<void> {
  const onProgress = (step: string) => console.log(`· ${step}`);
  await withTestbed({ ...place, ovn, onProgress }, async (testbed) => {
    const cells = await strategyMatrix(testbed, onProgress);
    console.log(`\n${table(cells)}\n`);
    const others = cells.filter((cell) => !isForeseen(cell));
    for (const { addresses, strategy, rejected } of others) {
      console.log(`  ${strategy} on ${addresses}: the functions ${rejected ? `reject it, for ${rejected}` : 'arm it'}`);
    }
    console.log(
      others.length === 0
        ? `PASSED  ${cells.length} of ${cells.length}: what the functions arm is held and opens, what they reject does not`
        : `FAILED  ${others.length} of ${cells.length}`,
    );
    if (others.length > 0) process.exitCode = 1;
  });
}

/** A row for each kind of addresses: what opens the port, or what it is for good. */
function table(cells: readonly Cell[]): string {
  const rows = Object.keys(ADDRESSES).map((addresses) => [
    addresses,
    ...STRATEGIES.map((strategy) =>
      word(cells.find((cell) => cell.addresses === addresses && cell.strategy === strategy)!),
    ),
  ]);
  return [['addresses', ...STRATEGIES], ...rows]
    .map(([first, ...others]) => `  ${first!.padEnd(18)}${others.map((text) => text.padEnd(14)).join('')}`.trimEnd())
    .join('\n');
}

function word({ held, openedBy }: Cell): string {
  if (!held) return 'open';
  return openedBy.join(',') || 'closed';
}
