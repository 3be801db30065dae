import type { Attributes as Compared, EventFilter, TriggerSpec } from 'knative-eventing-ts-sdk';
import { ManifestError } from './manifests.ts';

/** The attributes and extensions of a CloudEvent, as strings; filters never see data. */
export type Attributes = Readonly<Record<string, string | undefined>>;
export type Filter = (attributes: Attributes) => boolean;

/**
 * Compiles what a Trigger's spec says of the events that it wants. `filters` overrides `filter`, as in Knative.
 *
 * @param where - Named in errors.
 * @throws ManifestError for CESQL, also deep inside.
 */
export function compileFilters({ filter, filters }: Pick<TriggerSpec, 'filter' | 'filters'>, where: string): Filter {
  if (filters !== undefined) return every(filters, where);
  // Unlike in `exact`, an empty string stands for any value.
  return matching(filter?.attributes ?? {}, (actual, expected) => expected === '' || actual === expected);
}

function compile({ exact, prefix, suffix, all, any, not }: EventFilter, where: string): Filter {
  if (exact) return matching(exact, (actual, expected) => actual === expected);
  if (prefix) return matching(prefix, (actual, expected) => actual.startsWith(expected));
  if (suffix) return matching(suffix, (actual, expected) => actual.endsWith(expected));
  if (all) return every(all, where);
  if (any) {
    const some = any.map((each) => compile(each, where));
    return (attributes) => some.some((filter) => filter(attributes));
  }
  if (not) {
    const filter = compile(not, where);
    return (attributes) => !filter(attributes);
  }
  throw new ManifestError(where, 'a filter in CESQL is not known here');
}

function every(filters: readonly EventFilter[], where: string): Filter {
  const compiled = filters.map((each) => compile(each, where));
  return (attributes) => compiled.every((filter) => filter(attributes));
}

function matching(wanted: Compared, matches: (actual: string, expected: string) => boolean): Filter {
  const expectations = Object.entries(wanted);
  return (attributes) =>
    expectations.every(([name, expected]) => {
      const actual = attributes[name];
      return actual !== undefined && matches(actual, expected);
    });
}
