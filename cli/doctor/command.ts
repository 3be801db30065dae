import type { Command } from '../command.ts';
import { EXIT, type ExitStatus } from '../errors.ts';
import { paint, type Terminal } from '../output/terminal.ts';
import { beside } from '../output/wrap.ts';
import { type Checked, examine } from './checks.ts';
import type { Finding, Level } from './finding.ts';
import { readAll } from './read.ts';

/** Looks for what keeps migrations from working, or will, and says how to mend it. */
export async function doctor(
  { session, terminal, output }: Command,
  { probe }: { readonly probe: boolean },
): Promise<ExitStatus> {
  const { seen, stages } = await readAll(session, { probe });
  const checked = examine(seen, stages);
  const isInstalled = stages.includes('installed');
  const findings = checked.flatMap((each) => each.findings ?? []);
  if (output === 'json') {
    terminal.print(
      JSON.stringify(
        { context: session.context, isInstalled, level: levelOf(findings), checks: checked },
        undefined,
        2,
      ),
    );
  } else {
    terminal.print(`Context ${session.context}, ${session.server}\n`);
    terminal.print(checkedText(checked, terminal));
    if (!isInstalled) terminal.print('\novn-handover is not installed here: only what it needs was looked at.');
  }
  return levelOf(findings) === 'red' ? EXIT.found : EXIT.ok;
}

function levelOf(findings: readonly Finding[]): Level | 'green' {
  if (findings.some(({ level }) => level === 'red')) return 'red';
  return findings.length > 0 ? 'yellow' : 'green';
}

const MARKS = { red: '✗', yellow: '!', green: '✓' } as const;

export function checkedText(checked: readonly Checked[], terminal: Terminal): string {
  const lines = checked.flatMap(({ title, findings }) => {
    if (findings === undefined)
      return [paint(terminal, 'dim', beside('– ', `${title}: left out, see above`, terminal.columns))];
    const level = levelOf(findings);
    const [first, ...more] = beside('  ', title, terminal.columns).split('\n');
    const head = [`${paint(terminal, level, MARKS[level])} ${first!.trimStart()}`, ...more].join('\n');
    return [head, ...findings.map((finding) => findingText(finding, terminal))];
  });
  const all = checked.flatMap(({ findings }) => findings ?? []);
  const count = (level: Level) => all.filter((finding) => finding.level === level).length;
  const level = levelOf(all);
  const end = `${checked.length} checks: ${count('red')} red, ${count('yellow')} yellow`;
  return [...lines, '', paint(terminal, level, end)].join('\n');
}

function findingText({ id, level, what, why, mend, link }: Finding, terminal: Terminal): string {
  const line = (label: string, text: string) => beside(`    ${label}`, text, terminal.columns);
  return [
    paint(terminal, level, line('', `${what} [${id}]`)),
    line('why: ', why),
    // Not broken into lines: what is copied from a terminal is to be whole.
    `    mend: ${mend}`,
    paint(terminal, 'dim', line('see ', link)),
  ].join('\n');
}
