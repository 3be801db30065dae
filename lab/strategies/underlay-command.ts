import { Command, InvalidArgumentError, Option } from 'commander';
import { OVN_SUITES, type OvnSuite } from '../testbed/ovn-suite.ts';
import { withTestbed } from '../testbed/with-testbed.ts';
import { type Mtus, type Path, underlayPaths } from './underlay.ts';

interface UnderlayOptions {
  readonly ovn: OvnSuite;
  readonly fabricMtu: number;
  readonly plugMtu: number;
  readonly guestMtu: number;
}

/** `lab underlay`, on a testbed of its own. */
export function underlayCommand(place: { directory: string; prefix: string }): Command {
  return new Command('underlay')
    .description('look what passes between a guest on a localnet network and others while its port is dual')
    .addOption(new Option('--ovn <suite>', 'Debian suite whose OVN runs').choices(OVN_SUITES).default('bookworm'))
    .option('--fabric-mtu <bytes>', 'of the network that tunnels go through', bytes, 1_500)
    .option('--plug-mtu <bytes>', "of the guest's interface on the chassis's side", bytes, 1_500)
    .option('--guest-mtu <bytes>', 'of the guest, and of whom it talks to', bytes, 1_500)
    .action((options: UnderlayOptions) => look(options, place));
}

async function look(options: UnderlayOptions, place: { directory: string; prefix: string }): Promise<void> {
  const { ovn, fabricMtu: fabric, plugMtu: plug, guestMtu: guest } = options;
  const onProgress = (step: string) => console.log(`· ${step}`);
  await withTestbed({ ...place, ovn, onProgress }, async (testbed) => {
    const paths = await underlayPaths(testbed, { fabric, plug, guest } satisfies Mtus, onProgress);
    console.log(`\n${table(paths)}\n`);
    const cut = paths.filter(({ largest }) => largest < guest);
    const unheard = cut.filter(({ told }) => told === undefined);
    console.log(
      cut.length === 0
        ? `FULL SIZE  ${guest} bytes pass everywhere, at each stage`
        : `CUT  on ${cut.length} of ${paths.length} paths ${guest} bytes do not pass; on ${unheard.length} of them the sender hears nothing of it`,
    );
  });
}

function table(paths: readonly Path[]): string {
  const rows = paths.map(({ stage, peer, towards, largest, told, tcp }) => [
    stage,
    towards === 'guest' ? `from one ${peer}` : `to one ${peer}`,
    String(largest),
    told === undefined ? '-' : String(told),
    tcp ? 'passes' : 'stalls',
  ]);
  return [['stage', "the guest's packets", 'largest', 'told', 'TCP'], ...rows]
    .map(([stage, path, largest, told, tcp]) =>
      `  ${stage!.padEnd(22)}${path!.padEnd(34)}${largest!.padEnd(9)}${told!.padEnd(6)}${tcp}`.trimEnd(),
    )
    .join('\n');
}

function bytes(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1_100 || value > 9_000) throw new InvalidArgumentError('1100 to 9000.');
  return value;
}
