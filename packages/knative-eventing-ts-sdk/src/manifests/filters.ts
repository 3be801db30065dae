import { whyNoCondition } from './cesql.ts';
import { type Check, filledText, list, mapOf, mapping, textLike } from './check.ts';
import { closest, type Problem } from './problem.ts';

/**
 * The attributes of a CloudEvent, and what they are compared with.
 *
 * @see [CloudEvents 1.0.2](https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md)
 *
 * @example
 * ```ts
 * const exact: Attributes = { type: 'dev.knative.apiserver.resource.add', kind: 'Pod' };
 * ```
 */
export type Attributes = Readonly<Record<string, string>>;

/**
 * Which events are wanted, in one of the dialects of CNCF's CloudEvents Subscriptions API.
 *
 * @see [CloudEvents Subscriptions API, section 3.2.4](https://github.com/cloudevents/spec/blob/main/subscriptions/spec.md)
 *
 * @example
 * ```ts
 * const filter: EventFilter = { any: [{ prefix: { type: 'com.example.' } }, { cesql: "subject LIKE 'urgent%'" }] };
 * ```
 */
export interface EventFilter {
  readonly exact?: Attributes;
  readonly prefix?: Attributes;
  readonly suffix?: Attributes;
  readonly all?: readonly EventFilter[];
  readonly any?: readonly EventFilter[];
  readonly not?: EventFilter;
  readonly cesql?: string;
}

/** Types of the events that Knative's own sources send. */
const KNATIVE_TYPES: readonly string[] = [
  ...['resource', 'ref'].flatMap((mode) =>
    ['add', 'update', 'delete'].map((action) => `dev.knative.apiserver.${mode}.${action}`),
  ),
  'dev.knative.sources.ping',
];

/** CloudEvents 1.0, section 3.1; so HTTP headers, in any case, make the same attribute. */
export const attributeName = textLike(
  /^[a-z][a-z0-9]*$/,
  'an attribute: lower-case letters and digits, a letter first',
);

const knativeType: Check<string> = (value, where) => {
  if (typeof value !== 'string' || KNATIVE_TYPES.includes(value)) return [];
  const meant = closest(value, KNATIVE_TYPES);
  const isOurs = value.startsWith('dev.knative.apiserver.');
  if (meant === undefined && !isOurs) return [];
  return [
    {
      where,
      what: `is ${JSON.stringify(value)}, a type that no source sends. Did you mean ${meant ?? KNATIVE_TYPES.join(' or ')}?`,
    },
  ];
};

const condition: Check<string> = (value, where) => {
  const problems = filledText(value, where);
  const why = problems.length > 0 ? undefined : whyNoCondition(value as string);
  return why === undefined ? problems : [{ where, what: `is no condition in CESQL: ${why}` }];
};

const compared = mapOf(attributeName, filledText);

/** An attribute's value in full. In `filter.attributes`, unlike in `exact`, an empty text stands for any value. */
const exactly: Check<Attributes> = (value, where) => {
  const problems = compared(value, where);
  return problems.length > 0 ? problems : typeProblems(value as Attributes, where);
};

export function typeProblems(attributes: Attributes, where: string): readonly Problem[] {
  return Object.hasOwn(attributes, 'type') ? knativeType(attributes.type, `${where}/type`) : [];
}

const eventFilter: Check<EventFilter> = mapping<EventFilter>(
  {
    exact: exactly,
    prefix: compared,
    suffix: compared,
    all: (value, where) => nested(value, where),
    any: (value, where) => nested(value, where),
    not: (value, where) => eventFilter(value, where),
    cesql: condition,
  },
  (filter, where) => {
    const dialects = Object.keys(filter);
    const what = dialects.length === 0 ? 'none' : dialects.join(' and ');
    return [
      dialects.length !== 1 && { where, what: `must have one dialect, has ${what}` },
      ...Object.entries(filter).map(
        ([name, attributes]) =>
          ['exact', 'prefix', 'suffix'].includes(name) &&
          Object.keys(attributes as Attributes).length === 0 && {
            where: `${where}/${name}`,
            what: 'must name an attribute',
          },
      ),
    ];
  },
);

const nested = list(eventFilter, { empty: false });

/** All of them have to let an event pass. */
export const eventFilters: Check<readonly EventFilter[]> = list(eventFilter);
