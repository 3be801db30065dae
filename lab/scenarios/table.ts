import type { ScenarioResult } from './run.ts';

/** One line for a scenario that has been played, and one for each thing that is wrong. */
export function resultLine({ name, ms, stories, wrong }: ScenarioResult, done: number, of: number): string {
  const count = `${String(done).padStart(String(of).length)}/${of}`;
  const mark = wrong.length === 0 ? '✓' : '✗';
  const seconds = `${(ms / 1000).toFixed(1)} s`.padStart(7);
  const lines = [`${mark} ${count} ${seconds}  ${name.padEnd(66)}  ${stories.join(' | ')}`];
  return [...lines, ...wrong.map((what) => `    ${what}`)].join('\n');
}

/** By act: how many were right. */
export function summary(results: readonly ScenarioResult[], ms: number): string {
  const acts = [...Map.groupBy(results, ({ act }) => act)];
  const isRight = ({ wrong }: ScenarioResult) => wrong.length === 0;
  const width = Math.max(...acts.map(([act]) => act.length));
  const lines = acts.map(([act, all]) => `  ${act.padEnd(width)}  ${all.filter(isRight).length} of ${all.length}`);
  const failed = results.filter((result) => !isRight(result));
  const verdict =
    failed.length === 0
      ? `PASSED  ${results.length} of ${results.length} scenarios: all rows right in both databases`
      : [
          `FAILED  ${failed.length} of ${results.length} scenarios`,
          ...failed.map(({ name, wrong }) => `  ${name}: ${wrong.join('\n    ')}`),
        ].join('\n');
  return [...lines, '', `${verdict} (${Math.round(ms / 1000)} s)`].join('\n');
}
