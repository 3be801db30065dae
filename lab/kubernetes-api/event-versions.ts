import { isRecord } from './object.ts';
import { findResource, type Resource } from './resources.ts';

/** Fields of an Event of the core group, and what they are called in `events.k8s.io/v1`: the server keeps one of the two. */
const NEW_NAMES: Readonly<Record<string, string>> = {
  involvedObject: 'regarding',
  message: 'note',
  reportingComponent: 'reportingController',
  source: 'deprecatedSource',
  firstTimestamp: 'deprecatedFirstTimestamp',
  lastTimestamp: 'deprecatedLastTimestamp',
  count: 'deprecatedCount',
};
const OLD_NAMES = Object.fromEntries(Object.entries(NEW_NAMES).map(([old, now]) => [now, old]));

const coreEvents = findResource('', 'v1', 'events')!;
const newEvents = findResource('events.k8s.io', 'v1', 'events')!;

/** The resource as which the objects of another are stored. */
export function storedAs(resource: Resource): Resource {
  return resource === newEvents ? coreEvents : resource;
}

/** An object, or a merge patch of one, as it is stored. */
export function toStored(resource: Resource, body: unknown): unknown {
  return resource === newEvents && isRecord(body) ? { ...renamed(body, OLD_NAMES), ...apiVersion(body, 'v1') } : body;
}

/** A stored object, as it is asked for. */
export function fromStored(resource: Resource, stored: unknown): unknown {
  if (resource !== newEvents || !isRecord(stored)) return stored;
  return { ...renamed(stored, NEW_NAMES), ...apiVersion(stored, 'events.k8s.io/v1') };
}

function renamed(object: Record<string, unknown>, names: Readonly<Record<string, string>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).map(([field, value]) => [names[field] ?? field, value]));
}

/** A patch has none. */
function apiVersion(object: Record<string, unknown>, version: string): object {
  return object.apiVersion === undefined ? {} : { apiVersion: version };
}
