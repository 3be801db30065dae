import { Command, Option } from 'commander';
import { OVN_SUITES, type OvnSuite } from '../testbed/ovn-suite.ts';
import { withTestbed } from '../testbed/with-testbed.ts';
import type { Sides } from './dependents.ts';
import { strippedPorts } from './strip.ts';

/** `lab strip`, on a testbed of its own. */
export function stripCommand(place: { directory: string; prefix: string }): Command {
  return new Command('strip')
    .description(
      'take the options off dual ports, as another controller may, and look what each way to put them back does',
    )
    .addOption(new Option('--ovn <suite>', 'Debian suite whose OVN runs').choices(OVN_SUITES).default('bookworm'))
    .action(({ ovn }: { ovn: OvnSuite }) => look(ovn, place));
}

async function look(ovn: OvnSuite, place: { directory: string; prefix: string }): Promise<void> {
  const onProgress = (step: string) => console.log(`· ${step}`);
  await withTestbed({ ...place, ovn, onProgress }, async (testbed) => {
    const cells = await strippedPorts(testbed, onProgress);
    const rows = cells.map(({ strip, mend, mended, announced }) => [strip, mend, sides(mended), sides(announced)]);
    console.log();
    for (const row of [['stripped of', 'put back as', 'open', 'and after one more RARP'], ...rows]) {
      console.log(`  ${row.map((text) => text.padEnd(31)).join('')}`.trimEnd());
    }
  });
}

function sides({ source, target }: Sides): string {
  return [source ? 'source' : [], target ? 'target' : []].flat().join(' and ') || 'neither';
}
