import { moments } from '../migrate/moments.ts';
import type { MigrationResult, Report, Spread } from '../migrate/result.ts';
import { type Html, html } from './html.ts';
import { conditionsOf } from './modes.ts';

/** The figures of every migration of a run, a table for each interface, with median and worst. */
export function figuresTables(report: Report, reports: readonly Report[]): Html[] {
  const { mode, migrations, summary } = report;
  const row = (name: string, values: readonly (number | undefined)[], kind = '') => {
    const cells = values.map((value) => html`<td>${value === undefined ? '–' : String(value)}</td>`);
    return html`<tr class="${kind}"><th scope="row">${name}</th>${cells}</tr>\n`;
  };
  return summary.interfaces.map((spread, nic) => {
    const of = (key: keyof Spread) => [
      spread.outageMs[key],
      summary.guestBlackoutMs[key],
      spread.lostPings[key],
      spread.tcpMaxStallMs[key],
    ];
    const rows = migrations.map(({ guestBlackoutMs, interfaces }, index) => {
      const { outageMs, lostPings, tcpMaxStallMs } = interfaces[nic]!;
      return row(String(index + 1), [outageMs, guestBlackoutMs, lostPings, tcpMaxStallMs]);
    });
    const summaries = migrations.length < 2 ? [] : [row('median', of('median'), 'sum'), row('worst', of('worst'))];
    const port = summary.interfaces.length < 2 ? '' : `${spread.port}: `;
    return html`<table class="figures">
<caption>${port}${mode}, ${conditionsOf(report, reports)}</caption>
<thead><tr>
<th scope="col"></th><th scope="col">outage<small>ms</small></th><th scope="col">guest’s own blackout<small>ms</small></th>
<th scope="col">lost pings</th><th scope="col">longest TCP stall<small>ms</small></th>
</tr></thead>
<tbody>
${rows}${summaries}</tbody>
</table>`;
  });
}

/** All that happened in one migration, in order. */
export function momentsTable(result: MigrationResult): Html {
  return html`<table class="moments">
<caption>${result.migration}, ${result.from} → ${result.to}</caption>
<thead><tr><th scope="col">s</th><th scope="col">who</th><th scope="col">what</th></tr></thead>
<tbody>
${moments(result).map(
  ({ atMs, who, what }) => html`<tr><td>${(atMs / 1000).toFixed(2)}</td><td>${who}</td><td>${what}</td></tr>\n`,
)}</tbody>
</table>`;
}
