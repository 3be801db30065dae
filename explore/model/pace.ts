import type { Choices } from '../choices.ts';

/** What a script waits for: some ms, or until something is so (or, at the latest, all is quiet). */
export type Wait = number | { until(): boolean };
export type Script = Generator<Wait, void>;

/** About as many ms as were seen on a real cluster; now and then a fraction or a multiple of it. */
export function about(choices: Choices, ms: number): number {
  return Math.round(ms * choices.pick([1, 1, 1, 0.6, 1.4, 0.2, 4]));
}

export function short(choices: Choices): number {
  return choices.pick([5, 1, 40, 300, 1_500]);
}

export function long(choices: Choices): number {
  return choices.pick([1_000, 20, 300, 3_000, 6_000]);
}
