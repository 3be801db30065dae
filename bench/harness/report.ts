import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Findings, holds } from './benchmark.ts';
import type { Machine } from './machine.ts';
import { type Summary, summarize } from './statistics.ts';

/** What `--json` writes. */
export interface Report extends Findings {
  readonly benchmark: string;
  /** When it began, RFC 3339. */
  readonly at: string;
  readonly machine: Machine;
  readonly options: Readonly<Record<string, unknown>>;
}

const COLUMNS: readonly (keyof Summary)[] = ['count', 'min', 'p25', 'median', 'p75', 'p99', 'max'];

/** The report for a terminal: a row for each series, a line for each limit. */
export function table({ machine, setup, series, limits }: Report): string {
  const names = series.map(({ name, unit }) => (unit === '' ? name : `${name}, ${unit}`));
  const width = Math.max(0, ...names.map((name) => name.length));
  const row = (name: string, cells: readonly string[]) =>
    `${name.padEnd(width)}${cells.map((cell) => cell.padStart(10)).join('')}`;
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, load ${machine.load.toFixed(1)}; Linux ${machine.kernel}${machine.autogroup ? ', cores shared by session' : ''}`,
    `Node ${machine.node}, OVN ${machine.ovn}, OVS ${machine.ovs}; commit ${machine.commit}`,
    ...Object.entries(setup ?? {}).map(([name, value]) => `${name}: ${value}`),
    '',
    row('', COLUMNS),
    ...series.map(({ values }, index) => {
      const summary = summarize(values);
      return row(
        names[index] ?? '',
        COLUMNS.map((column) => figure(summary[column])),
      );
    }),
    '',
    ...limits.map((limit) => {
      const bound = 'atMost' in limit ? `at most ${limit.atMost}` : `at least ${limit.atLeast}`;
      return `${holds(limit) ? 'PASS' : 'FAIL'}  ${limit.what}: ${figure(limit.value)} (${bound})`;
    }),
  ].join('\n');
}

export async function writeReport(report: Report, file: string): Promise<void> {
  const summaries = report.series.map((one) => ({ ...one, summary: summarize(one.values) }));
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify({ ...report, series: summaries }, undefined, 2)}\n`);
}

/** Three significant digits, and whole numbers whole. */
function figure(value: number): string {
  return Number.isInteger(value) || Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
