import type { Course, Role } from './course.ts';

/** Something that the stand-in does otherwise than KubeVirt, for a reason. */
export interface KnownDifference {
  readonly role: Role;
  /** The words that it is about; they are left out of both courses. */
  readonly words: RegExp;
  readonly reason: string;
}

/** How the writes of two words lie to each other. */
type Relation = 'before' | 'with' | 'after';

/**
 * What one course has otherwise than all courses that were recorded, object by object: words that are missing, words that no
 * recording has, and two words in an order that no recording has.
 * @param others recordings of other courses, for the orders alone
 */
export function differences(
  recorded: readonly Course[],
  seen: Course,
  known: readonly KnownDifference[] = [],
  others: readonly Course[] = [],
): readonly string[] {
  const roles = new Set([...recorded.flatMap((course) => [...course.keys()]), ...seen.keys()]);
  return [...roles].flatMap((role) => {
    const isKnown = (word: string) => known.some((one) => one.role === role && one.words.test(word));
    const places = (courses: readonly Course[]) => courses.map((course) => placesOf(course, role, isKnown));
    return differencesOf(places(recorded), placesOf(seen, role, isKnown), places(others)).map(
      (what) => `${role}: ${what}`,
    );
  });
}

/** The words of known differences that neither a recording nor the course has: they are not known any more. */
export function outdated(
  recorded: readonly Course[],
  seen: readonly Course[],
  known: readonly KnownDifference[],
): string[] {
  const all = (role: Role) => [...recorded, ...seen].flatMap((course) => (course.get(role) ?? []).flat());
  return known
    .filter(({ role, words }) => !all(role).some((word) => words.test(word)))
    .map(({ words }) => String(words));
}

/** In which write of an object each word comes; a word that comes again gets a number. */
type Places = ReadonlyMap<string, number>;

function placesOf(course: Course, role: Role, isKnown: (word: string) => boolean): Places {
  const places = new Map<string, number>();
  for (const [index, words] of (course.get(role) ?? []).entries()) {
    for (const word of words) {
      let unique = word;
      for (let again = 2; places.has(unique); again++) unique = `${word} (${again})`;
      places.set(unique, index);
    }
  }
  return new Map([...places].filter(([word]) => !isKnown(word)));
}

function differencesOf(real: readonly Places[], seen: Places, others: readonly Places[]): string[] {
  const missing = [...(real[0]?.keys() ?? [])]
    .filter((word) => real.every((places) => places.has(word)) && !seen.has(word))
    .map((word) => `never ${word}`);
  const unknown = [...seen.keys()]
    .filter((word) => !real.some((places) => places.has(word)))
    .map((word) => `${word}, which no recording has`);
  return [...missing, ...unknown, ...wrongOrders([...real, ...others], seen)];
}

function wrongOrders(real: readonly Places[], seen: Places): string[] {
  const words = [...seen.keys()].filter((word) => real.some((places) => places.has(word)));
  const wrong: string[] = [];
  for (const [index, one] of words.entries()) {
    for (const other of words.slice(index + 1)) {
      const allowed = new Set(real.flatMap((places) => relation(places, one, other) ?? []));
      const actual = relation(seen, one, other);
      if (actual !== undefined && allowed.size > 0 && !allowed.has(actual)) {
        wrong.push(`${one} is written ${actual} ${other}, and not ${[...allowed].join(' or ')} it`);
      }
    }
  }
  return wrong;
}

function relation(places: Places, one: string, other: string): Relation | undefined {
  const [a, b] = [places.get(one), places.get(other)];
  if (a === undefined || b === undefined) return undefined;
  if (a === b) return 'with';
  return a < b ? 'before' : 'after';
}
