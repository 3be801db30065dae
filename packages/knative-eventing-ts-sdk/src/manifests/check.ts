import { isObject, nameOf } from '../cloud-event.ts';
import { at } from '../json-pointer.ts';
import { hint, type Problem } from './problem.ts';

declare const checked: unique symbol;

/** Tells what keeps a value from being a `T`; nothing if it is one. */
export interface Check<T> {
  (value: unknown, where: string): readonly Problem[];
  /** Only for the compiler: keeps checks and interfaces the same. */
  readonly [checked]?: T;
}

/** A check of a field that must be there. */
export interface RequiredCheck<T> extends Check<T> {
  readonly required: true;
}

/** What else has to hold between the fields of a value that has the right shape. */
export type Rule<T> = (value: T, where: string) => readonly (Problem | false | undefined)[];

/** A check for each field of `T`, by which the compiler sees that no field is left out and none is too many. */
export type Fields<T> = {
  readonly [K in keyof T]-?: Record<string, never> extends Pick<T, K>
    ? Check<Exclude<T[K], undefined>>
    : RequiredCheck<T[K]>;
};

export function required<T>(check: Check<T>): RequiredCheck<T> {
  return Object.assign((value: unknown, where: string) => check(value, where), { required: true as const });
}

/**
 * A mapping with these fields and no others. One that is null is not there, as the API server takes it (a block that is all
 * comments). The rules are looked at only where every field is right.
 */
export function mapping<T extends object>(fields: Fields<T>, ...rules: readonly Rule<T>[]): Check<T> {
  const checks = new Map(Object.entries<Check<unknown> & { readonly required?: true }>(fields));
  const known = [...checks.keys()];
  return (value, where) => {
    if (!isObject(value)) return mustBe('a mapping', value, where);
    const there = Object.entries(value).filter(([, field]) => field !== undefined && field !== null);
    const problems = there.flatMap(([key, field]) => {
      const check = checks.get(key);
      return check === undefined ? unknownField(key, known, where) : check(field, at(where, key));
    });
    for (const [key, check] of checks) {
      if (check.required && !there.some(([field]) => field === key)) problems.push({ where, what: `must have ${key}` });
    }
    if (problems.length > 0) return problems;
    const sound = Object.fromEntries(there) as T;
    return rules.flatMap((rule) => rule(sound, where)).filter((problem) => problem !== undefined && problem !== false);
  };
}

function unknownField(key: string, known: readonly string[], where: string): Problem[] {
  const meant = hint(key, known) || ` Known here: ${known.join(', ')}.`;
  return [{ where: at(where, key), what: `is not known here, and Knative would pass over it.${meant}` }];
}

/** A mapping whose keys are free. */
export function mapOf<T>(key: Check<string>, check: Check<T>): Check<Readonly<Record<string, T>>> {
  return (value, where) => {
    if (!isObject(value)) return mustBe('a mapping', value, where);
    return Object.entries(value).flatMap(([name, each]) => [
      ...key(name, at(where, name)),
      ...check(each, at(where, name)),
    ]);
  };
}

export function list<T>(check: Check<T>, { empty = true } = {}): Check<readonly T[]> {
  return (value, where) => {
    if (!Array.isArray(value)) return mustBe('a list', value, where);
    if (!empty && value.length === 0) return [{ where, what: 'must have something in it' }];
    return value.flatMap((each, index) => check(each, at(where, index)));
  };
}

export const text: Check<string> = (value, where) => (typeof value === 'string' ? [] : mustBe('a text', value, where));

export const filledText: Check<string> = (value, where) =>
  typeof value === 'string' && value !== '' ? [] : mustBe('a text that is not empty', value, where);

/** A text of this form. @param what the form in words, with an example */
export function textLike(pattern: RegExp, what: string): Check<string> {
  return (value, where) => (typeof value === 'string' && pattern.test(value) ? [] : mustBe(what, value, where));
}

export function oneOf<const T extends string>(...values: readonly T[]): Check<T> {
  return (value, where) => {
    if ((values as readonly unknown[]).includes(value)) return [];
    const meant = typeof value === 'string' ? hint(value, values) : '';
    return mustBe(values.join(' or '), value, where, meant);
  };
}

export function integer(least: number): Check<number> {
  return (value, where) =>
    Number.isSafeInteger(value) && (value as number) >= least
      ? []
      : mustBe(`an integer, ${least} or more`, value, where);
}

/** What the API server writes, or checks well enough itself. */
export const anything: Check<unknown> = () => [];

function mustBe(what: string, value: unknown, where: string, meant = ''): Problem[] {
  const actual = typeof value === 'number' || typeof value === 'boolean' ? String(value) : nameOf(value);
  return [{ where, what: `must be ${what}, is ${actual}${meant ? `.${meant}` : ''}` }];
}
