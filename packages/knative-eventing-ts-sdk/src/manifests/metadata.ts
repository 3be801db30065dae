import { isObject } from '../cloud-event.ts';
import { at } from '../json-pointer.ts';
import { anything, type Check, filledText, list, mapOf, mapping, oneOf, text, textLike } from './check.ts';
import { closest } from './problem.ts';

/**
 * A manifest's `metadata`: what people write, and what the API server adds.
 *
 * @see [Kubernetes, ObjectMeta](https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/)
 *
 * @example
 * ```ts
 * const metadata: Metadata = { name: 'orders', namespace: 'shop', labels: { app: 'shop' } };
 * ```
 */
export interface Metadata {
  readonly name?: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly unknown[];
  readonly uid?: unknown;
  readonly resourceVersion?: unknown;
  readonly generation?: unknown;
  readonly creationTimestamp?: unknown;
  readonly deletionTimestamp?: unknown;
  readonly deletionGracePeriodSeconds?: unknown;
  readonly managedFields?: unknown;
  readonly selfLink?: unknown;
}

/** RFC 1123: a label, and labels with dots between them. */
const LABEL = '[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?';
export const dnsLabel = textLike(new RegExp(`^${LABEL}$`), 'a name of lower-case letters, digits and -, such as prod');
export const dnsName = textLike(
  new RegExp(`^(?=.{1,253}$)${LABEL}(\\.${LABEL})*$`),
  'a name of lower-case letters, digits, - and ., such as web-01',
);

/** Most kinds want a DNS name for a name, but not all do. */
export const filledName = textLike(/^[^/%\s]+$/, 'a name');

const NAME_PART = '[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?';
export const labelKey = textLike(
  new RegExp(`^(${LABEL}(\\.${LABEL})*/)?${NAME_PART}$`),
  'a label key, such as app or example.com/app',
);
export const labelValue = textLike(
  new RegExp(`^(${NAME_PART})?$`),
  'a label value: a text of up to 63 letters, digits, -, _ and .',
);

export const TRUE_OR_FALSE = oneOf('true', 'false');

/** @param annotations those of Knative that this kind heeds; one that is nearly written like them is a typo */
export function metadata(annotations: Readonly<Record<string, Check<string>>> = {}): Check<Metadata> {
  return mapping<Metadata>(
    {
      name: dnsName,
      generateName: filledText,
      namespace: dnsLabel,
      labels: mapOf(labelKey, labelValue),
      annotations: annotationsOf(annotations),
      finalizers: list(filledText),
      ownerReferences: list(anything),
      uid: anything,
      resourceVersion: anything,
      generation: anything,
      creationTimestamp: anything,
      deletionTimestamp: anything,
      deletionGracePeriodSeconds: anything,
      managedFields: anything,
      selfLink: anything,
    },
    ({ name, generateName }, where) => [
      name === undefined && generateName === undefined && { where, what: 'must have name' },
    ],
  );
}

function annotationsOf(heeded: Readonly<Record<string, Check<string>>>): Check<Readonly<Record<string, string>>> {
  const texts = mapOf(labelKey, text);
  return (value, where) => {
    const problems = texts(value, where);
    if (problems.length > 0 || !isObject(value)) return problems;
    return Object.entries(value).flatMap(([key, each]) => {
      const check = Object.hasOwn(heeded, key) ? heeded[key] : undefined;
      if (check !== undefined) return check(each, at(where, key));
      const meant = closest(key, Object.keys(heeded));
      return meant === undefined
        ? []
        : [{ where: at(where, key), what: `is not known to Knative. Did you mean ${meant}?` }];
    });
  };
}
