import { styleText } from 'node:util';
import { bindingStory, type MigrationResult, type Report } from './result.ts';

type Colour = Parameters<typeof styleText>[0];

/** One migration as lines for a terminal: who did what when, then what it cost. */
export function timeline(result: MigrationResult): string {
  const lines: { atMs: number; who: string; what: string; colour: Colour }[] = [
    ...result.phases.map(({ atMs, what }) => ({ atMs, who: 'KubeVirt', what, colour: 'gray' as const })),
    ...result.bindings
      .filter(({ atMs }) => atMs >= 0)
      .map((binding) => ({
        atMs: binding.atMs,
        who: 'OVN NB',
        what: `${word(binding.requestedChassis)}: requested-chassis=${binding.requestedChassis ?? ''}${binding.activationStrategy ? ` activation-strategy=${binding.activationStrategy}` : ''}`,
        colour: 'cyan' as const,
      })),
    ...result.claims
      .filter(({ atMs }) => atMs >= 0)
      .map((claim) => ({
        atMs: claim.atMs,
        who: 'OVN SB',
        what: `claimed by ${claim.chassis ?? 'nobody'}${list(' and ', claim.additionalChassis)}${list(', opened by RARP on ', claim.activated)}`,
        colour: 'blue' as const,
      })),
    ...Object.entries(result.functions).flatMap(([name, { coldStarts }]) =>
      coldStarts.map(({ atMs, ms }) => ({
        atMs,
        who: 'Knative',
        what: `${name} is up, cold start ${ms} ms`,
        colour: 'magenta' as const,
      })),
    ),
    {
      atMs: result.outageAtMs,
      who: 'client',
      what: `longest silence begins: ${result.outageMs} ms without an answer to ping`,
      colour: 'yellow',
    },
  ];
  lines.sort((a, b) => a.atMs - b.atMs);
  return [
    styleText('bold', `${result.migration}: ${result.from} → ${result.to} (${result.mode})`),
    ...lines.map(({ atMs, who, what, colour }) => `  ${seconds(atMs)}  ${styleText(colour, who.padEnd(9))} ${what}`),
    ...costs(result),
  ].join('\n');
}

function costs(result: MigrationResult): string[] {
  const blackout =
    result.guestBlackoutMs === undefined ? '' : `, of which the guest's own blackout ${result.guestBlackoutMs} ms`;
  const answers = Object.entries(result.functions).map(
    ([name, { events, answers }]) =>
      `${name} ${events} (${Object.entries(answers)
        .map(([status, count]) => `${count}×${status}`)
        .join(' ')})`,
  );
  return [
    `  outage ${result.outageMs} ms${blackout}; ${result.lostPings} of ${result.sentPings} pings lost; guest ${result.guest}`,
    `  TCP ${result.tcpBroken ? 'broke' : 'unbroken'}, longest stall ${result.tcpMaxStallMs} ms; binding ${bindingStory(result).join(' → ')}; opened by RARP: ${result.activatedByRarp ? 'yes' : 'no'}`,
    ...(answers.length > 0 ? [`  events answered: ${answers.join(', ')}`] : []),
  ];
}

/** All migrations of a run as a table, with medians and worst cases. */
export function summaryTable({ mode, eventDelayMs, migrations, summary }: Report): string {
  const row = (name: string, cells: readonly (number | string | undefined)[]) =>
    `  ${name.padEnd(10)}${cells.map((cell) => String(cell ?? '–').padStart(14)).join('')}`;
  const figures = (key: 'median' | 'worst') => [
    summary.outageMs[key],
    summary.guestBlackoutMs[key],
    summary.lostPings[key],
    summary.tcpMaxStallMs[key],
  ];
  return [
    styleText('bold', `${migrations.length} × ${mode}, events ${eventDelayMs} ms late`),
    row('', ['outage ms', 'blackout ms', 'lost pings', 'TCP stall ms']),
    ...migrations.map((one, index) =>
      row(`${index + 1}`, [one.outageMs, one.guestBlackoutMs, one.lostPings, one.tcpMaxStallMs]),
    ),
    row('median', figures('median')),
    row('worst', figures('worst')),
  ].join('\n');
}

function word(requestedChassis: string | undefined): string {
  if (requestedChassis === undefined) return 'unbound';
  return requestedChassis.includes(',') ? 'dual' : 'pinned';
}

function list(prefix: string, names: readonly string[]): string {
  return names.length === 0 ? '' : `${prefix}${names.join(', ')}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2).padStart(7)} s`;
}
