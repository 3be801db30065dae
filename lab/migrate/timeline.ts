import { styleText } from 'node:util';
import { bindingStory, type InterfaceResult, type MigrationResult, type Report, type Spread } from './result.ts';

type Colour = Parameters<typeof styleText>[0];

interface Line {
  readonly atMs: number;
  readonly who: string;
  readonly what: string;
  readonly colour: Colour;
}

/** One migration as lines for a terminal: who did what when, then what it cost. */
export function timeline(result: MigrationResult): string {
  const lines: Line[] = [
    ...result.phases.map(({ atMs, what }) => ({ atMs, who: 'KubeVirt', what, colour: 'gray' as const })),
    ...result.interfaces.flatMap((one) => linesOf(one, prefixOf(one, result))),
    ...Object.entries(result.functions).flatMap(([name, { coldStarts }]) =>
      coldStarts.map(({ atMs, ms }) => ({
        atMs,
        who: 'Knative',
        what: `${name} is up, cold start ${ms} ms`,
        colour: 'magenta' as const,
      })),
    ),
  ];
  lines.sort((a, b) => a.atMs - b.atMs);
  return [
    styleText('bold', `${result.migration}: ${result.from} → ${result.to} (${result.mode})`),
    ...lines.map(({ atMs, who, what, colour }) => `  ${seconds(atMs)}  ${styleText(colour, who.padEnd(9))} ${what}`),
    ...costs(result),
  ].join('\n');
}

/** Its port, where the VM has more than one. */
function prefixOf({ port }: InterfaceResult, { interfaces }: MigrationResult): string {
  return interfaces.length > 1 ? `${port}: ` : '';
}

function linesOf({ bindings, claims, outageMs, outageAtMs }: InterfaceResult, prefix: string): Line[] {
  return [
    ...bindings
      .filter(({ atMs }) => atMs >= 0)
      .map((binding) => ({
        atMs: binding.atMs,
        who: 'OVN NB',
        what: `${prefix}${word(binding.requestedChassis)}: requested-chassis=${binding.requestedChassis ?? ''}${binding.activationStrategy ? ` activation-strategy=${binding.activationStrategy}` : ''}`,
        colour: 'cyan' as const,
      })),
    ...claims
      .filter(({ atMs }) => atMs >= 0)
      .map((claim) => ({
        atMs: claim.atMs,
        who: 'OVN SB',
        what: `${prefix}claimed by ${claim.chassis ?? 'nobody'}${list(' and ', claim.additionalChassis)}${list(', opened by RARP on ', claim.activated)}`,
        colour: 'blue' as const,
      })),
    {
      atMs: outageAtMs,
      who: 'client',
      what: `${prefix}longest silence begins: ${outageMs} ms without an answer to ping`,
      colour: 'yellow',
    },
  ];
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
    ...result.interfaces.flatMap((one) => [
      `  ${prefixOf(one, result)}outage ${one.outageMs} ms${blackout}; ${one.lostPings} of ${one.sentPings} pings lost; guest ${result.guest}`,
      `  TCP ${one.tcpBroken ? 'broke' : 'unbroken'}, longest stall ${one.tcpMaxStallMs} ms; binding ${bindingStory(one).join(' → ')}; opened by RARP: ${one.activatedByRarp ? 'yes' : 'no'}`,
    ]),
    ...(answers.length > 0 ? [`  events answered: ${answers.join(', ')}`] : []),
  ];
}

/** All migrations of a run as a table per interface, with medians and worst cases. */
export function summaryTable({ mode, eventDelayMs, migrations, summary }: Report): string {
  const row = (name: string, cells: readonly (number | string | undefined)[]) =>
    `  ${name.padEnd(10)}${cells.map((cell) => String(cell ?? '–').padStart(14)).join('')}`;
  return summary.interfaces
    .flatMap((spread, nic) => {
      const figures = (key: keyof Spread) => [
        spread.outageMs[key],
        summary.guestBlackoutMs[key],
        spread.lostPings[key],
        spread.tcpMaxStallMs[key],
      ];
      return [
        styleText('bold', `${spread.port}: ${migrations.length} × ${mode}, events ${eventDelayMs} ms late`),
        row('', ['outage ms', 'blackout ms', 'lost pings', 'TCP stall ms']),
        ...migrations.map(({ interfaces, guestBlackoutMs }, index) => {
          const { outageMs, lostPings, tcpMaxStallMs } = interfaces[nic]!;
          return row(`${index + 1}`, [outageMs, guestBlackoutMs, lostPings, tcpMaxStallMs]);
        }),
        row('median', figures('median')),
        row('worst', figures('worst')),
      ];
    })
    .join('\n');
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
