import type { Command, OptionValues } from 'commander';

/** A benchmark, one file each; `npm run bench -- NAME` runs it. */
export interface Benchmark {
  /** Its name, description and options. */
  readonly command: Command;
  /** @param progress told of each step, in words for a person */
  run(options: OptionValues, progress: (step: string) => void): Promise<Findings>;
}

export interface Findings {
  /** What was measured under which conditions, as far as the options do not say it. */
  readonly setup?: Readonly<Record<string, string | number>>;
  readonly series: readonly Series[];
  /** What has to hold; a benchmark with one that does not hold fails. */
  readonly limits: readonly Limit[];
}

/** Values of one quantity, in the order in which they were measured. */
export interface Series {
  readonly name: string;
  readonly unit: 'ms' | 'MB' | '%' | 'x' | '';
  readonly values: readonly number[];
}

/** A bound on a figure, most often on a ratio of two medians of the same run. */
export type Limit = { readonly what: string; readonly value: number } & (
  | { readonly atMost: number }
  | { readonly atLeast: number }
);

export function holds(limit: Limit): boolean {
  return 'atMost' in limit ? limit.value <= limit.atMost : limit.value >= limit.atLeast;
}
