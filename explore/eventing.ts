import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { FunctionName } from '../handover/decision/desired.ts';
import { readYaml } from '../lab/knative/manifests.ts';
import { parseTrigger, type Trigger } from '../lab/knative/trigger.ts';
import type { Action, Kind, KubernetesObject } from './model/objects.ts';

/** The project's own manifests, as they are deployed. */
const BASE = new URL('../eventing/base/', import.meta.url);

interface Resource {
  readonly kind: string;
  readonly selector?: {
    readonly matchLabels?: Readonly<Record<string, string>>;
    readonly matchExpressions?: readonly { readonly key: string; readonly operator: string }[];
  };
}

interface Source {
  readonly kind: string;
  readonly spec: {
    readonly resources: readonly Resource[];
    readonly ceOverrides?: { readonly extensions?: Readonly<Record<string, string>> };
  };
}

const sources = (await manifestsIn('')).filter((one): one is Source => (one as Source).kind === 'ApiServerSource');
const triggers = (await manifestsIn('triggers/')).map((manifest) => parseTrigger(manifest as never));

/** One event for one function, as the broker delivers it. */
export interface Delivery {
  readonly step: FunctionName;
  readonly trigger: Trigger;
  readonly event: object;
}

/** What becomes of a change: an event of each source that watches the object, for each Trigger that wants it. */
export function deliveriesOf(kind: Kind, action: Action, object: KubernetesObject): readonly Delivery[] {
  const type = `dev.knative.apiserver.resource.${action}`;
  return sources
    .filter(({ spec }) => spec.resources.some((resource) => isWatched(resource, kind, object)))
    .flatMap(({ spec }) => {
      const attributes = { ...ENVELOPE, type, kind, ...spec.ceOverrides?.extensions };
      const event = { ...attributes, data: { ...TYPE_META[kind], ...object } };
      return deliveriesFor(attributes, event);
    });
}

/** The time for a sweep has come. */
export function sweepDeliveries(): readonly Delivery[] {
  const attributes = { ...ENVELOPE, type: 'dev.knative.sources.ping' };
  return deliveriesFor(attributes, { ...attributes, data: {} });
}

function deliveriesFor(attributes: Readonly<Record<string, string>>, event: object): readonly Delivery[] {
  return triggers
    .filter(({ wants }) => wants(attributes))
    .map((trigger) => ({ step: trigger.subscriber.name as FunctionName, trigger, event }));
}

function isWatched({ kind, selector }: Resource, actual: Kind, { metadata: { labels } }: KubernetesObject): boolean {
  if (kind !== actual) return false;
  const { matchLabels = {}, matchExpressions = [] } = selector ?? {};
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator }) => {
      if (operator === 'Exists') return key in labels;
      if (operator === 'DoesNotExist') return !(key in labels);
      throw new Error(`The model knows no operator ${operator} of a selector.`);
    })
  );
}

async function manifestsIn(folder: string): Promise<readonly unknown[]> {
  const directory = new URL(folder, BASE);
  const files = (await readdir(directory)).filter((name) => name.endsWith('.yaml'));
  return (await Promise.all(files.map((file) => readYaml(fileURLToPath(new URL(file, directory)))))).flat();
}

const ENVELOPE = { specversion: '1.0', id: '1', source: 'https://kubernetes' };
const TYPE_META: Readonly<Record<Kind, object>> = {
  Pod: { apiVersion: 'v1', kind: 'Pod' },
  VirtualMachineInstance: { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance' },
  VirtualMachineInstanceMigration: { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstanceMigration' },
};

export function describe({ event }: Delivery): string {
  const { type, data } = event as { type: string; data: { kind?: string; metadata?: { name: string } } };
  return `${type.split('.').at(-1)} ${data.kind ?? ''} ${data.metadata?.name ?? ''}`.trim();
}
