import { isObject } from '../cloud-event.ts';
import { type ApiServerSource, apiServerSource } from './api-server-source.ts';
import { type Broker, broker } from './broker.ts';
import type { Check } from './check.ts';
import { whyNoKind } from './kinds.ts';
import { type PingSource, pingSource } from './ping-source.ts';
import { closest, type Problem } from './problem.ts';
import { type Trigger, trigger } from './trigger.ts';

/**
 * The kinds that are checked, and the types of their manifests.
 *
 * @see [Knative, API of eventing](https://knative.dev/docs/eventing/reference/eventing-api/)
 *
 * @example
 * ```ts
 * const kinds: readonly (keyof Manifests)[] = ['Broker', 'Trigger', 'ApiServerSource', 'PingSource'];
 * ```
 */
export interface Manifests {
  readonly Broker: Broker;
  readonly Trigger: Trigger;
  readonly ApiServerSource: ApiServerSource;
  readonly PingSource: PingSource;
}

interface Kind {
  readonly apiVersion: string;
  readonly check: Check<unknown>;
}

const KINDS: Readonly<Record<string, Kind>> & Readonly<Record<keyof Manifests, Kind>> = {
  Broker: { apiVersion: 'eventing.knative.dev/v1', check: broker },
  Trigger: { apiVersion: 'eventing.knative.dev/v1', check: trigger },
  ApiServerSource: { apiVersion: 'sources.knative.dev/v1', check: apiServerSource },
  PingSource: { apiVersion: 'sources.knative.dev/v1', check: pingSource },
};

/**
 * Checks one manifest for what the API server and Knative's webhook let pass: unknown fields at every level, and what is
 * valid but means something else than it seems. Manifests of kinds other than Broker, Trigger, ApiServerSource and
 * PingSource are not looked at, unless their kind or API version is nearly one of these.
 *
 * @param manifest - The object, as read from YAML or JSON.
 * @returns what is wrong, in the order of the manifest; nothing if all is well.
 * @throws Nothing: whatever it is given, what is wrong is what it returns.
 * @see [Knative, API of eventing](https://knative.dev/docs/eventing/reference/eventing-api/)
 *
 * @example
 * ```ts
 * checkManifest({ apiVersion: 'eventing.knative.dev/v1', kind: 'Triger' });
 * // => [{ where: '/kind', what: 'is Triger. Did you mean Trigger?' }]
 * ```
 */
export function checkManifest(manifest: unknown): readonly Problem[] {
  if (!isObject(manifest)) return [{ where: '', what: 'must be a mapping with apiVersion and kind' }];
  const { apiVersion, kind } = manifest;
  if (typeof apiVersion !== 'string') return [{ where: '', what: 'must have apiVersion' }];
  if (typeof kind !== 'string') return [{ where: '', what: 'must have kind' }];
  if (Object.hasOwn(KINDS, kind)) {
    const known = KINDS[kind]!;
    if (known.apiVersion === apiVersion) return known.check(manifest, '');
  }
  const wrong = whyNoKind(apiVersion, kind);
  // Of a kind that the API server does not know either, it tells itself.
  if (wrong?.field === 'apiVersion') return [{ where: '/apiVersion', what: wrong.what }];
  const meant = isOfKnative(apiVersion) ? closest(kind, Object.keys(KINDS)) : undefined;
  return meant === undefined ? [] : [{ where: '/kind', what: `is ${kind}. Did you mean ${meant}?` }];
}

export function isOfKnative(apiVersion: string): boolean {
  return /^(eventing|sources)\.knative\.dev\//.test(apiVersion);
}
