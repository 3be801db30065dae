import { Choices, type Decision } from './choices.ts';

type Run = (choices: Choices) => string | undefined;

/**
 * Makes a failing schedule duller: takes decisions out and turns them into 0, as long as it still fails in the same way.
 * @returns the decisions that are left, for a replay
 */
export function shrink(run: Run, made: readonly Decision[], atMost = 1_500): readonly Decision[] {
  const kind = kindOf(run(new Choices({ replay: made })));
  let best = made;
  let tries = 0;
  const attempt = (candidate: readonly Decision[]): boolean => {
    if (++tries > atMost) return false;
    const choices = new Choices({ replay: candidate });
    if (kindOf(run(choices)) !== kind) return false;
    best = trimmed(choices.made);
    return true;
  };
  const pass = (size: number) => {
    for (let at = best.length - size; at > -size && tries < atMost; at -= size) {
      const from = Math.max(at, 0);
      const part = best.slice(from, from + size);
      if (part.every(isDull)) continue;
      const [before, after] = [best.slice(0, from), best.slice(from + size)];
      if (!attempt([...before, ...part.map(({ of }) => ({ of, value: 0 })), ...after])) attempt([...before, ...after]);
    }
  };
  for (let size = Math.ceil(best.length / 2); size >= 1; size = Math.floor(size / 2)) pass(size);
  return best;
}

function isDull({ value }: Decision): boolean {
  return value === 0;
}

/** A replay goes on with 0 by itself. */
function trimmed(decisions: readonly Decision[]): readonly Decision[] {
  return decisions.slice(0, decisions.findLastIndex((decision) => !isDull(decision)) + 1);
}

/** What was broken, whichever port, pod, chassis and process it was. */
function kindOf(broken: string | undefined): string | undefined {
  return broken?.replace(/\S*[\d#-]\S*/g, '*');
}
