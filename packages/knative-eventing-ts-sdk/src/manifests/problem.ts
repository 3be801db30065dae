import { isObject } from '../cloud-event.ts';

/**
 * Something that is wrong in a manifest.
 *
 * @see [RFC 6901](https://www.rfc-editor.org/rfc/rfc6901)
 *
 * @example
 * ```ts
 * const [problem]: readonly Problem[] = checkManifest({ apiVersion: 'v1' });
 * problem; // => { where: '', what: 'must have kind' }
 * ```
 */
export interface Problem {
  /** JSON pointer into the manifest, e.g. `/spec/delivery/retry`; `''` is the manifest itself. */
  readonly where: string;
  /** What is wrong there, in one sentence. */
  readonly what: string;
}

/** Kind, namespace and name, e.g. `Trigger shop/ship`. */
export function nameOfManifest(manifest: unknown): string {
  const { kind, metadata } = isObject(manifest) ? manifest : {};
  const { namespace = 'default', name = '' } = isObject(metadata) ? metadata : {};
  return `${kind ?? 'manifest'} ${namespace}/${name}`;
}

/** A copy without the fields that are null, which are not there for the API server either. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const there = Object.entries(value).filter(([, field]) => field !== null);
  return Object.fromEntries(there.map(([key, field]) => [key, withoutNulls(field)]));
}

/** How a sentence goes on that names something unknown: ` Did you mean retry?`, or nothing if nothing known is close. */
export function hint(word: string, known: readonly string[]): string {
  const meant = closest(word, known);
  return meant === undefined ? '' : ` Did you mean ${meant}?`;
}

/** The known word that a typo or two lead away from, if there is one. */
export function closest(word: string, known: readonly string[]): string | undefined {
  const lengthened = (each: string) => Math.abs(each.length - word.length);
  const near = known
    .map((each) => ({ each, distance: distance(word.toLowerCase(), each.toLowerCase()) }))
    .filter(({ each, distance }) => distance <= Math.min(3, Math.ceil(each.length / 2)))
    .sort((one, other) => one.distance - other.distance || lengthened(one.each) - lengthened(other.each));
  return near[0]?.each;
}

/** Levenshtein's: letters to insert, delete or replace. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [done, letter] of [...from].entries()) {
    const next = [done + 1];
    for (const [index, other] of [...to].entries()) {
      next.push(Math.min(row[index + 1]! + 1, next[index]! + 1, row[index]! + (letter === other ? 0 : 1)));
    }
    row = next;
  }
  return row.at(-1)!;
}
