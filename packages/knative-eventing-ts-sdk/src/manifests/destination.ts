import { type Check, filledText, mapping, type Rule, required, text, textLike } from './check.ts';
import { whyNoKind } from './kinds.ts';
import { dnsLabel, filledName } from './metadata.ts';

/**
 * A Kubernetes object that events can be sent to.
 *
 * @see [Knative, sinks](https://knative.dev/docs/eventing/sinks/)
 *
 * @example
 * ```ts
 * const ref: Reference = { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'ship' };
 * ```
 */
export interface Reference {
  readonly apiVersion?: string;
  readonly kind: string;
  readonly name: string;
  /** By default that of the object that holds the reference. */
  readonly namespace?: string;
  /** Instead of `apiVersion`, with Knative's feature `kreference-group`. */
  readonly group?: string;
  readonly address?: string;
}

/**
 * Where events go: an object, a URI, or a path under an object's own.
 *
 * @see [Knative, sinks](https://knative.dev/docs/eventing/sinks/)
 *
 * @example
 * ```ts
 * const sink: Destination = { ref: { apiVersion: 'v1', kind: 'Service', name: 'ship' }, uri: '/orders' };
 * ```
 */
export interface Destination {
  readonly ref?: Reference;
  readonly uri?: string;
  /** PEM. */
  readonly CACerts?: string;
  /** Of the OIDC token. */
  readonly audience?: string;
}

export const apiVersion = textLike(
  /^([a-z0-9.-]+\/)?v[a-z0-9]+$/,
  'an API version, such as v1 or serving.knative.dev/v1',
);
export const kind = textLike(/^[A-Z][A-Za-z0-9]*$/, 'a kind, in the singular and with a capital letter, such as Pod');

/** Whether there is such a kind in this version of the API. */
export const kindRule: Rule<{ readonly apiVersion?: string; readonly kind: string }> = (
  { apiVersion, kind },
  where,
) => {
  const wrong = apiVersion === undefined ? undefined : whyNoKind(apiVersion, kind);
  return [wrong && { where: `${where}/${wrong.field}`, what: wrong.what }];
};

export const reference: Check<Reference> = mapping<Reference>(
  {
    apiVersion,
    kind: required(kind),
    name: required(filledName),
    namespace: dnsLabel,
    group: filledText,
    address: filledText,
  },
  ({ apiVersion, group }, where) => [
    apiVersion === undefined && group === undefined && { where, what: 'must have apiVersion' },
    apiVersion !== undefined && group !== undefined && { where, what: 'must not have both apiVersion and group' },
  ],
  kindRule,
);

export const destination: Check<Destination> = mapping<Destination>(
  { ref: reference, uri: text, CACerts: filledText, audience: filledText },
  ({ ref, uri }, where) => {
    if (uri === undefined) return [ref === undefined && { where, what: 'must have ref or uri' }];
    const absolute = URL.canParse(uri);
    if (ref !== undefined) return [absolute && { where, what: 'must not have both ref and an absolute uri' }];
    const hasHost = absolute && new URL(uri).host !== '';
    return [
      !hasHost && { where: `${where}/uri`, what: `must be absolute where there is no ref, is ${JSON.stringify(uri)}` },
    ];
  },
);
