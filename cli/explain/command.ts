import { observe } from '../../handover/observe.ts';
import type { Command } from '../command.ts';
import { EXIT, type ExitStatus } from '../errors.ts';
import { paint, type Terminal } from '../output/terminal.ts';
import { beside, widthOf } from '../output/wrap.ts';
import { nameOf } from '../status/look.ts';
import { vmNamed } from '../status/vms.ts';
import { type Explanation, explanationOf } from './explanation.ts';
import type { TriedRule } from './rules.ts';

/** Says what is read of a VM, which rule holds and why, and what each function would write now; nothing is written. */
export async function explain({ session, terminal, output }: Command, vm: string): Promise<ExitStatus> {
  const world = await session.world();
  const observed = await observe('reconcile', { vmi: vmNamed(vm, session.namespace) }, world);
  const explanation = explanationOf(observed, world);
  terminal.print(
    output === 'json' ? JSON.stringify(explanation, undefined, 2) : explanationText(explanation, terminal),
  );
  return observed.facts.vmi === undefined && observed.ports.length === 0 ? EXIT.found : EXIT.ok;
}

function explanationText({ vmi, facts, ports, functions }: Explanation, terminal: Terminal): string {
  const heading = (text: string) => paint(terminal, 'bold', text);
  const width = Math.max(...facts.map(({ what }) => widthOf(what)));
  const lines = [heading(`What is read of ${nameOf(vmi)}`)];
  lines.push(...facts.map(({ what, is }) => beside(`  ${what.padEnd(width)}  `, is, terminal.columns)));
  for (const port of ports) {
    lines.push('', heading(`Port ${port.name}`));
    const options = Object.entries(port.options).map(([key, value]) => `${key}=${value}`);
    lines.push(beside('  options: ', options.join(' ') || 'none', terminal.columns));
    lines.push(beside('  claimed by: ', port.claimedBy.join(', ') || 'not read, or no chassis', terminal.columns));
    lines.push(...port.tried.map((rule) => ruleText(rule, terminal)));
  }
  lines.push('', heading('What each function would do now'));
  const widest = Math.max(...functions.map(({ name }) => name.length));
  for (const each of functions) {
    const done = [
      ...each.writes.map(({ line }) => line),
      ...each.ungates.map(({ line }) => line),
      ...each.warnings,
      ...(each.again ? [`then look again: ${each.again}`] : []),
    ];
    const label = `  ${each.name.padEnd(widest)}  `;
    const [first = 'nothing', ...more] = done;
    lines.push(beside(label, first, terminal.columns));
    lines.push(...more.map((line) => beside(' '.repeat(label.length), line, terminal.columns)));
  }
  return lines.join('\n');
}

function ruleText({ rule, holds, conditions }: TriedRule, terminal: Terminal): string {
  const label = `  rule ${rule.padEnd(3)}`;
  if (holds) {
    const why = conditions.map(({ what }) => what).join(', and ');
    return paint(terminal, 'green', beside(label, `yes, since ${why}`, terminal.columns));
  }
  const missing = conditions.find((condition) => !condition.holds)!;
  return paint(terminal, 'dim', beside(label, `no, since this is false: ${missing.what}`, terminal.columns));
}
