import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { type Report, table, writeReport } from '../../../bench/harness/report.ts';

const report: Report = {
  benchmark: 'storm',
  at: '2026-01-02T03:04:05Z',
  machine: {
    ...{ cpu: 'a CPU', cores: 2, memoryGb: 24, load: 0.25, autogroup: true, kernel: '6.1' },
    ...{ node: 'v24.0.0', ovn: '23.03.1', ovs: '3.1.0', commit: 'abcdef0' },
  },
  options: { vms: 2 },
  setup: { functions: 'two' },
  series: [{ name: 'from nodeName to dual', unit: 'ms', values: [1, 2, 3000] }],
  limits: [
    { what: 'latest', value: 3000, atMost: 10_000 },
    { what: 'ratio', value: 19.96, atLeast: 20 },
  ],
};

test('a report for people has the machine, a row for each series and a line for each limit', () => {
  const lines = table(report).split('\n');
  expect(lines.slice(0, 3)).toEqual([
    'a CPU, 2 cores, 24 GB, load 0.3; Linux 6.1, cores shared by session',
    'Node v24.0.0, OVN 23.03.1, OVS 3.1.0; commit abcdef0',
    'functions: two',
  ]);
  expect(lines.find((line) => line.startsWith('from'))!.split(/ {2,}/)).toEqual([
    ...['from nodeName to dual, ms', '3', '1', '1.50', '2', '1501', '2940', '3000'],
  ]);
  expect(lines.slice(-2)).toEqual(['PASS  latest: 3000 (at most 10000)', 'FAIL  ratio: 20.0 (at least 20)']);
});

test('a report for programs has every value, and the summary beside it', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'report-'));
  try {
    const file = join(directory, 'new/storm.json');
    await writeReport(report, file);
    const { series, ...rest } = JSON.parse(readFileSync(file, 'utf8'));
    expect(rest).toEqual({ ...report, series: undefined });
    expect(series).toMatchObject([{ values: [1, 2, 3000], summary: { count: 3, median: 2, max: 3000 } }]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
