import { join } from 'node:path';
import { run, runIn } from '../testbed/command.ts';
import type { Chassis } from '../testbed/description.ts';

/** Puts internal interfaces on `br-int`, each under the name of its logical switch port. */
export async function plugInternal(chassis: Chassis, names: readonly string[]): Promise<void> {
  // What the kernel sends by itself would be counted too.
  await runIn(chassis.netns, 'sysctl', ['-qw', 'net.ipv6.conf.default.disable_ipv6=1']);
  await run('ovs-vsctl', [
    `--db=${chassis.ovsdb}`,
    '--timeout=25',
    ...names.flatMap((name) => [
      ...['--', 'add-port', 'br-int', name],
      ...['--', 'set', 'Interface', name, 'type=internal', `external_ids:iface-id=${name}`],
    ]),
  ]);
  for (const name of names) await run('ip', ['-n', chassis.netns, 'link', 'set', name, 'up']);
}

/** Packets given to each interface so far. */
export async function delivered(chassis: Chassis): Promise<ReadonlyMap<string, number>> {
  const text = await run('ovs-ofctl', ['--names', 'dump-ports', bridgeOf(chassis)]);
  const entries = text.matchAll(/port +"?([^":]+)"?: rx pkts[^\n]*\n +tx pkts=(\d+)/g);
  return new Map([...entries].map(([, name, packets]) => [name!, Number(packets)]));
}

/** The numbers that `br-int` knows its interfaces by. */
export async function portNumbers({ ovsdb }: Chassis): Promise<ReadonlyMap<string, string>> {
  const columns = ['--bare', '--no-headings', '--format=csv', '--columns=name,ofport', 'list', 'Interface'];
  const lines = (await run('ovs-vsctl', [`--db=${ovsdb}`, '--timeout=25', ...columns])).split('\n');
  return new Map(lines.map((line) => line.split(',') as [string, string]));
}

/** Has the switch take a frame as if it came from the interface. */
export async function inject(chassis: Chassis, number: string, frame: string): Promise<void> {
  await run('ovs-ofctl', ['packet-out', bridgeOf(chassis), `in_port=${number},packet=${frame},actions=table`]);
}

function bridgeOf({ directory }: Chassis): string {
  return `unix:${join(directory, 'br-int.mgmt')}`;
}
