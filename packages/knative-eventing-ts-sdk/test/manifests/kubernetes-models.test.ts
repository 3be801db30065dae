import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { Broker } from '@kubernetes-models/knative/eventing.knative.dev/v1/Broker';
import { Trigger } from '@kubernetes-models/knative/eventing.knative.dev/v1/Trigger';
import { ApiServerSource } from '@kubernetes-models/knative/sources.knative.dev/v1/ApiServerSource';
import { PingSource } from '@kubernetes-models/knative/sources.knative.dev/v1/PingSource';
import { checkManifest } from '../../src/index.ts';
import { changed, EXAMPLES } from './examples.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const MODELS = { BROKER: Broker, TRIGGER: Trigger, API_SERVER_SOURCE: ApiServerSource, PING_SOURCE: PingSource };

/** Whether that package has something to say of a manifest. */
function isFoundByModels(name: keyof typeof MODELS, manifest: unknown): boolean {
  const Model = MODELS[name] as new (manifest: object) => { validate(): void };
  try {
    new Model(manifest as object).validate();
    return false;
  } catch {
    return true;
  }
}

/** Places where any key is right. */
const FREE = /\/(labels|annotations|matchLabels|exact|prefix|suffix|extensions)$/;

function* keys(value: unknown, where = ''): Generator<string> {
  if (typeof value !== 'object' || value === null || FREE.test(where)) return;
  for (const [key, inner] of Object.entries(value)) {
    if (!Array.isArray(value)) yield `${where}/${key}`;
    yield* keys(inner, `${where}/${key}`);
  }
}

function valueAt(manifest: unknown, where: string): unknown {
  const path = where.split('/').slice(1);
  return path.reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], manifest);
}

/** Each key of the example manifests with a letter too many. */
const TYPOS = Object.entries(EXAMPLES).flatMap(([name, manifest]) =>
  [...keys(manifest)].map((where) => ({
    name: name as keyof typeof MODELS,
    manifest: changed(changed(manifest, where, undefined), `${where}s`, valueAt(manifest, where)),
  })),
);

describe('what the README says of @kubernetes-models/knative', () => {
  it('is what both find of the same typos', () => {
    const here = TYPOS.filter(({ manifest }) => checkManifest(manifest).length > 0).length;
    const there = TYPOS.filter(({ name, manifest }) => isFoundByModels(name, manifest)).length;
    expect(here).toBe(TYPOS.length);
    expect(readme).toContain(`${here} of ${TYPOS.length} here, ${there} there`);
  });

  it('is fair: it has nothing against the manifests that are right', () => {
    const rejected = Object.entries(EXAMPLES).filter(([name, manifest]) =>
      isFoundByModels(name as keyof typeof MODELS, manifest),
    );
    expect(rejected).toEqual([]);
  });
});
