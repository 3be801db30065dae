import { checkManifest, type Manifests } from './check-manifest.ts';
import { nameOfManifest, type Problem, withoutNulls } from './problem.ts';

/**
 * A manifest that is none of its kind, or means something else than it seems.
 *
 * @see [RFC 6901](https://www.rfc-editor.org/rfc/rfc6901)
 *
 * @example
 * ```ts
 * try {
 *   parseManifest('Trigger', { apiVersion: 'eventing.knative.dev/v1', kind: 'Trigger', metadata: { name: 'ship' } });
 * } catch (error) {
 *   if (!(error instanceof MalformedManifestError)) throw error;
 *   error.message; // => 'Trigger default/ship : must have spec'
 * }
 * ```
 */
export class MalformedManifestError extends Error implements Problem {
  override readonly name = 'MalformedManifestError';
  readonly where: string;
  readonly what: string;

  constructor(manifest: unknown, { where, what }: Problem) {
    super(`${nameOfManifest(manifest)} ${where}: ${what}`);
    this.where = where;
    this.what = what;
  }
}

/**
 * A manifest as its type has it, from YAML or JSON: a copy, without the fields that are null.
 * @throws MalformedManifestError for another kind, or the first problem that `checkManifest` finds
 * @see [Knative, API of eventing](https://knative.dev/docs/eventing/reference/eventing-api/)
 *
 * @example
 * ```ts
 * const fromYaml: unknown = {
 *   apiVersion: 'eventing.knative.dev/v1',
 *   kind: 'Broker',
 *   metadata: { name: 'orders' },
 *   spec: null,
 * };
 * parseManifest('Broker', fromYaml).metadata.name; // => 'orders'
 * ```
 */
export function parseManifest<Kind extends keyof Manifests>(kind: Kind, manifest: unknown): Manifests[Kind] {
  const [problem] = checkManifest(manifest);
  if (problem !== undefined) throw new MalformedManifestError(manifest, problem);
  const is = (manifest as { readonly kind: string }).kind;
  if (is !== kind) throw new MalformedManifestError(manifest, { where: '/kind', what: `is ${is}, expected ${kind}` });
  return withoutNulls(manifest) as Manifests[Kind];
}
