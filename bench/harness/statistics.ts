/** Median and spread of a series. */
export interface Summary {
  readonly count: number;
  readonly min: number;
  readonly p25: number;
  readonly median: number;
  readonly p75: number;
  readonly p99: number;
  readonly max: number;
}

export function summarize(values: readonly number[]): Summary {
  return {
    count: values.length,
    min: quantile(values, 0),
    p25: quantile(values, 0.25),
    median: median(values),
    p75: quantile(values, 0.75),
    p99: quantile(values, 0.99),
    max: quantile(values, 1),
  };
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Interpolated between the two values that it falls between; NaN of none. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * q;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}
