import { convertAtRandom } from '../acceptance/convert.ts';

it.each([
  ['standalone server', false],
  ['cluster', true],
])(
  'caches, monitors and writers go on while the schema of a %s is converted forth and back',
  async (_what, isClustered) => {
    const report = await convertAtRandom({ conversions: 8, seed: 7, isClustered });
    expect(report.problems).toEqual([]);
    expect(report.committed).toBeGreaterThan(0);
  },
  60_000,
);
