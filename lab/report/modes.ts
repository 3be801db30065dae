import type { InterfaceResult, MigrationResult, Report } from '../migrate/result.ts';
import { timeAxis } from './axis.ts';
import { type Frame, GAP } from './canvas.ts';
import type { Figure } from './figure.ts';
import { headingPanel } from './heading.ts';
import { type Lane, lanesPanel } from './lanes.ts';
import { ms } from './overview.ts';
import { pingPanel } from './pings.ts';
import { bindingBands, silence, typical, worstInterface } from './story.ts';

/** How much is shown before the last answer and after the latest first one, ms. */
const BEFORE_MS = 400;
const AFTER_MS = 600;

/** Runs below each other on one clock, which starts for each with its last answer before the silence. */
export function modes(reports: readonly Report[], width: number): Figure {
  const shown = reports.flatMap((report) => {
    const migration = typical(report);
    return migration === undefined ? [] : [{ report, one: worstInterface(migration) }];
  });
  const longest = Math.max(...reports.flatMap(outages));
  const frameAt = (zeroAtMs: number): Frame => ({
    width,
    span: { from: zeroAtMs - BEFORE_MS, to: zeroAtMs + longest + AFTER_MS },
  });
  const panels = shown.flatMap(({ report, one }, index) => {
    const frame = frameAt(one.outageAtMs);
    const quiet = silence(one);
    return [
      ...(index === 0 ? [] : [GAP]),
      headingPanel(frame, report.mode, conditionsOf(report, reports), eventsInWords(report)),
      pingPanel(one.pings, frame, { silence: quiet, height: 110, dot: 2.6 }),
      lanesPanel([{ name: 'Port binding', bands: bindingBands(one) }, ...firstAnswers(report, one)], frame, quiet),
    ];
  });
  return {
    id: `modes-${width}`,
    title: 'Ways to switch the port, on one clock',
    description: `Time without an answer in the migration with the median outage: ${shown
      .map(({ report, one }) => `${report.mode} ${ms(one.outageMs)}`)
      .join(', ')}.`,
    width,
    panels: [...panels, timeAxis(frameAt(0), { zeroAtMs: 0, zero: 'since the last answer before the silence' })],
  };
}

/** When the silence ended in each migration of the run, if there is more than one. */
function firstAnswers(report: Report, { outageAtMs }: InterfaceResult): Lane[] {
  const all = outages(report);
  if (all.length < 2) return [];
  const marks = all.map((outageMs) => ({ atMs: outageAtMs + outageMs, tone: 'faint' as const, dot: true }));
  return [{ name: `First answer, all ${all.length} runs`, details: [`worst ${ms(Math.max(...all))}`], marks }];
}

function outages({ migrations }: Report): number[] {
  return migrations.map((migration) => worstInterface(migration).outageMs);
}

/** How late a run's events were, and when it was measured where another of its mode had the same. */
export function conditionsOf(report: Report, reports: readonly Report[]): string {
  const alike = reports.filter((one) => one.mode === report.mode && eventsInWords(one) === eventsInWords(report));
  const [{ startedAt }] = report.migrations as [MigrationResult];
  const when = alike.length < 2 ? '' : `, measured ${startedAt.slice(0, 16).replace('T', ' ')}`;
  return `${eventsInWords(report)}${when}`;
}

function eventsInWords({ mode, eventDelayMs }: Report): string {
  if (mode === 'floor') return 'waits for no event';
  return eventDelayMs === 0 ? 'events at once' : `events ${eventDelayMs / 1000} s late`;
}
