import { KINDS } from '../cluster/kinds.ts';
import type { Command } from '../command.ts';
import { EXIT, type ExitStatus } from '../errors.ts';
import { type Colour, paint, type Terminal } from '../output/terminal.ts';
import { beside, indent } from '../output/wrap.ts';
import { vmNamed } from '../status/vms.ts';
import { type DatedMigration, type PastMigration, pastMigrations } from './past-migration.ts';

/** Shows how past migrations of a VM went, by the records on their VMIMs, of which KubeVirt keeps the last five. */
export async function history({ session, terminal, output }: Command, vm: string): Promise<ExitStatus> {
  const { namespace, name } = vmNamed(vm, session.namespace);
  const all = pastMigrations(await session.api.list<DatedMigration>(KINDS.migrations, { namespace }), name);
  if (output === 'json') terminal.print(JSON.stringify({ migrations: all }, undefined, 2));
  else if (all.length === 0) terminal.print(`There is no VMIM of ${namespace}/${name}.`);
  else terminal.print(all.map((migration) => timelineText(migration, terminal)).join('\n\n'));
  return EXIT.ok;
}

const COLOURS: Readonly<Record<string, Colour>> = { KubeVirt: 'dim', warning: 'yellow' };

export function timelineText({ name, created, phase, record, timeline }: PastMigration, terminal: Terminal): string {
  const way = record?.source && record.target ? `: ${record.source} → ${record.target}` : '';
  const width = Math.max(0, ...timeline.map(({ who }) => who.length));
  const lines = timeline.map(({ afterMs, who, what }) => {
    const line = beside(`  ${seconds(afterMs)}  ${who.padEnd(width)}  `, what, terminal.columns);
    const colour = COLOURS[who];
    return colour ? paint(terminal, colour, line) : line;
  });
  const margin = record?.marginMs;
  return [
    paint(
      terminal,
      'bold',
      indent(`${name}${way}, ${phase ?? 'without a phase'}, asked for at ${created}`, '', terminal.columns),
    ),
    ...(record === undefined ? ['  no record: it was not handed over, or before there were any'] : []),
    ...lines,
    ...(margin === undefined ? [] : [`  margin from dual to the switch: ${margin} ms`]),
  ].join('\n');
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2).padStart(7)} s`;
}
