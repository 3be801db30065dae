import { Choices } from './choices.ts';

type Run = (choices: Choices) => string | undefined;

/**
 * Makes a failing schedule duller: takes decisions out and turns them into 0, as long as it still fails.
 * @returns the decisions that are left, for a replay
 */
export function shrink(run: Run, made: readonly number[], atMost = 1_500): readonly number[] {
  let best = made;
  let tries = 0;
  const attempt = (candidate: readonly number[]): boolean => {
    if (++tries > atMost) return false;
    const choices = new Choices({ replay: candidate });
    if (run(choices) === undefined) return false;
    best = trimmed(choices.made);
    return true;
  };
  for (let size = Math.ceil(best.length / 2); size >= 1 && tries < atMost; size = Math.floor(size / 2)) {
    for (let at = best.length - size; at > -size && tries < atMost; at -= size) {
      const from = Math.max(at, 0);
      const part = best.slice(from, from + size);
      if (part.length === 0 || part.every((choice) => choice === 0)) continue;
      const dull = [...best.slice(0, from), ...part.map(() => 0), ...best.slice(from + size)];
      if (!attempt(dull) && size > 1) attempt([...best.slice(0, from), ...best.slice(from + size)]);
    }
  }
  return best;
}

/** A replay goes on with 0 by itself. */
function trimmed(choices: readonly number[]): readonly number[] {
  return choices.slice(0, choices.findLastIndex((choice) => choice !== 0) + 1);
}
