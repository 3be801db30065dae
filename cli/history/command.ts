import { KINDS } from '../cluster/kinds.ts';
import type { Command } from '../command.ts';
import { EXIT, type ExitStatus } from '../errors.ts';
import { type Colour, paint, type Terminal } from '../output/terminal.ts';
import { beside, paragraph } from '../output/wrap.ts';
import { vmNamed } from '../status/vms.ts';
import { type DatedMigration, type PastMigration, pastMigrations } from './past-migration.ts';

/** Shows how past migrations of a VM went, by the records on their VMIMs, of which KubeVirt keeps the last five. */
export async function history({ session, terminal, output }: Command, vm: string): Promise<ExitStatus> {
  const { namespace, name } = vmNamed(vm, session.namespace);
  const all = pastMigrations(await session.api.list<DatedMigration>(KINDS.migrations, { namespace }), name);
  if (output === 'json') terminal.print(JSON.stringify({ migrations: all }, undefined, 2));
  else if (all.length === 0) terminal.print(`There is no VMIM of ${namespace}/${name}.`);
  else {
    terminal.print(all.map((migration) => timelineText(migration, terminal)).join('\n\n'));
    terminal.print(paint(terminal, 'dim', paragraph(`\n${LEGEND}`, terminal.columns)));
  }
  return EXIT.ok;
}

const COLOURS: Readonly<Record<string, Colour>> = { KubeVirt: 'dim', warning: 'yellow' };
const LEGEND =
  'Times are from the second in which it was asked for; KubeVirt’s without a fraction are of that whole second.';

export function timelineText(
  { name, created, phase, record, timeline, margin }: PastMigration,
  terminal: Terminal,
): string {
  const way = record?.source && record.target ? `: ${record.source} → ${record.target}` : '';
  const width = Math.max(0, ...timeline.map(({ who }) => who.length));
  const lines = timeline.map(({ afterMs, precisionMs, who, what }) => {
    const line = beside(`  ${seconds(afterMs, precisionMs)}  ${who.padEnd(width)}  `, what, terminal.columns);
    const colour = COLOURS[who];
    return colour ? paint(terminal, colour, line) : line;
  });
  return [
    paint(
      terminal,
      'bold',
      paragraph(`${name}${way}, ${phase ?? 'without a phase'}, asked for at ${created}`, terminal.columns),
    ),
    ...(record === undefined ? ['  no record: it was not handed over, or before there were any'] : []),
    ...lines,
    ...(margin === undefined ? [] : [`  margin from dual to the switch: ${marginText(margin)}`]),
  ].join('\n');
}

/** A whole second has blanks where the others have their fraction. */
function seconds(ms: number, precisionMs: number): string {
  const text = (ms / 1_000).toFixed(3);
  return `${(precisionMs === 1 ? text : text.replace('.000', '    ')).padStart(8)} s`;
}

function marginText({ atLeastMs, atMostMs }: NonNullable<PastMigration['margin']>): string {
  return atLeastMs === atMostMs ? `${atLeastMs} ms` : `${atLeastMs} to ${atMostMs} ms, since KubeVirt tells the second`;
}
