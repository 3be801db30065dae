import { Command, Option } from 'commander';
import { OVN_SUITES, type OvnSuite } from '../testbed/ovn-suite.ts';
import { withTestbed } from '../testbed/with-testbed.ts';
import { DEPENDENTS, dependentPorts, faultsOf } from './dependents.ts';

/** `lab dependents`, on a testbed of its own. */
export function dependentsCommand(place: { directory: string; prefix: string }): Command {
  return new Command('dependents')
    .description("look what becomes of a container's port and of a virtual one while their parent is handed over")
    .addOption(new Option('--ovn <suite>', 'Debian suite whose OVN runs').choices(OVN_SUITES).default('bookworm'))
    .action(({ ovn }: { ovn: OvnSuite }) => look(ovn, place));
}

async function look(ovn: OvnSuite, place: { directory: string; prefix: string }): Promise<void> {
  const onProgress = (step: string) => console.log(`· ${step}`);
  await withTestbed({ ...place, ovn, onProgress }, async (testbed) => {
    const cells = await dependentPorts(testbed, onProgress);
    for (const dependent of Object.keys(DEPENDENTS)) {
      console.log(`\n  ${dependent}`);
      for (const cell of cells.filter((each) => each.dependent === dependent)) {
        const claimed = cell.claimed.join(' and ') || 'nobody';
        console.log(`    ${cell.stage.padEnd(27)}${claimed.padEnd(26)}${faultsOf(cell).join('; ') || 'well'}`);
      }
    }
    const broken = new Set(cells.filter((cell) => faultsOf(cell).length > 0).map(({ dependent }) => dependent));
    console.log(`\nBROKEN AT TIMES  ${[...broken].join('; ') || 'none'}`);
  });
}
