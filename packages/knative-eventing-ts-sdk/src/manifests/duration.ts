import type { Check } from './check.ts';

// ISO 8601-1, section 5.5.2: each unit at most once and in this order; only the last one may have a fraction.
const DURATION =
  /^P(?=.)(?:(\d+(?:[.,]\d+(?=Y$))?)Y)?(?:(\d+(?:[.,]\d+(?=M$))?)M)?(?:(\d+(?:[.,]\d+(?=W$))?)W)?(?:(\d+(?:[.,]\d+(?=D$))?)D)?(?:T(?=.)(?:(\d+(?:[.,]\d+(?=H$))?)H)?(?:(\d+(?:[.,]\d+(?=M$))?)M)?(?:(\d+(?:[.,]\d+)?)S)?)?$/;
const SECONDS = [31_556_952, 2_629_746, 604_800, 86_400, 3600, 60, 1];

/**
 * Milliseconds of an ISO 8601 duration such as `PT0.2S`, as Knative takes it: years and months have their mean length in
 * the Gregorian calendar. `undefined` for what is none.
 *
 * @throws Nothing.
 * @see [ISO 8601](https://www.iso.org/iso-8601-date-and-time-format.html)
 *
 * @example
 * ```ts
 * millisecondsOf('PT0.2S'); // => 200
 * millisecondsOf('200ms'); // => undefined
 * ```
 */
export function millisecondsOf(duration: string): number | undefined {
  const parts = DURATION.exec(duration)?.slice(1);
  return parts?.reduce((sum, part, index) => sum + Number((part ?? '0').replace(',', '.')) * SECONDS[index]! * 1000, 0);
}

/** @param least milliseconds */
export function duration({ least = 0 } = {}): Check<string> {
  return (value, where) => {
    const milliseconds = typeof value === 'string' ? millisecondsOf(value) : undefined;
    if (milliseconds === undefined) {
      return [{ where, what: `must be an ISO 8601 duration such as PT0.2S or PT1M, is ${JSON.stringify(value)}` }];
    }
    return milliseconds >= least ? [] : [{ where, what: `must be longer than nothing, is ${value}` }];
  };
}
