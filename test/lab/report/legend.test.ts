import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import type { MigrationResult, Report } from '../../../lab/migrate/result.ts';
import { closeup } from '../../../lab/report/closeup.ts';
import { figure } from '../../../lab/report/figure.ts';
import { legend } from '../../../lab/report/legend.ts';
import { modes } from '../../../lab/report/modes.ts';
import { overview } from '../../../lab/report/overview.ts';
import { readResult } from '../../../lab/report/write.ts';

const RUNS = ['handover-gated', 'handover', 'floor', 'single'];
/** What every picture has, which needs no words: paper and ink, lines behind, and ink on a band. */
const PLAIN = /^(paper|ink|faint|line|on-\w+)$/;

async function recorded(run: string): Promise<Report> {
  return readResult(`testkit/fixtures/results/${run}.json`);
}

const coloursOf = (svg: string) => new Set([...svg.matchAll(/var\(--([\w-]+)\)/g)].map(([, name]) => name!));

test.each([860, 358])('at %i px every figure explains each of its colours', async (width) => {
  const reports = await Promise.all(RUNS.map(recorded));
  const migrations = reports.flatMap((report) => report.migrations);
  const figures = [
    ...migrations.flatMap((one: MigrationResult) => [overview(one, width), closeup(one, width)]),
    modes(reports, width),
  ];
  for (const one of figures) {
    const explained = coloursOf(legend(new Set(one.panels.flatMap(({ signs = [] }) => signs)), width).svg);
    const used = [...coloursOf(one.panels.map(({ svg }) => svg).join(''))].filter((name) => !PLAIN.test(name));
    expect(used.length).toBeGreaterThan(2);
    expect({ figure: one.id, missing: used.filter((name) => !explained.has(name)) }).toEqual({
      figure: one.id,
      missing: [],
    });
    expect(figure(one)).toContain('the longest silence');
  }
});

test('a sign without words is an error, not a gap in the legend', () => {
  expect(() => legend(new Set(['dot:held']), 860)).toThrow('The legend has no words for dot:held.');
});

test.each(['flow', 'migration'])("docs/%s.svg has the report's palette", async (picture) => {
  const palette = await readFile('lab/report/figure.css', 'utf8');
  const svg = await readFile(`docs/${picture}.svg`, 'utf8');
  expect(svg.includes(palette)).toBe(true);
});
