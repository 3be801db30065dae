import { styleText } from 'node:util';
import { type Moment, moments, prefixOf } from './moments.ts';
import { bindingStory, type MigrationResult, outageOfNetworkMs, type Report, round, type Spread } from './result.ts';
import { loadInWords } from './verdict.ts';

type Colour = Parameters<typeof styleText>[0];

const COLOURS: Readonly<Record<Moment['who'], Colour>> = {
  KubeVirt: 'gray',
  'OVN NB': 'cyan',
  'OVN SB': 'blue',
  Knative: 'magenta',
  client: 'yellow',
};

/** One migration as lines for a terminal: who did what when, then what it cost. */
export function timeline(result: MigrationResult): string {
  return [
    styleText('bold', `${result.migration}: ${result.from} → ${result.to} (${result.mode})`),
    ...moments(result).map(
      ({ atMs, who, what }) => `  ${seconds(atMs)}  ${styleText(COLOURS[who], who.padEnd(9))} ${what}`,
    ),
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
    ...result.interfaces.flatMap((one) => [
      `  ${prefixOf(one, result)}outage ${one.outageMs} ms${blackout}, the network's ${round(outageOfNetworkMs(one, result))} ms; ${one.lostPings} of ${one.sentPings} pings lost; guest ${result.guest}`,
      `  TCP ${one.tcpBroken ? 'broke' : 'unbroken'}, longest stall ${one.tcpMaxStallMs} ms; binding ${bindingStory(one).join(' → ')}; opened by RARP: ${one.activatedByRarp ? 'yes' : 'no'}`,
    ]),
    ...(answers.length > 0 ? [`  events answered: ${answers.join(', ')}`] : []),
    ...(result.machineBusy === undefined ? [] : [`  ${loadInWords(result.machineBusy)}`]),
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

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2).padStart(7)} s`;
}
