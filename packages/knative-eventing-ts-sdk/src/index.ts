export { type Answer, applied, nothingToDo, reject, tryAgain } from './answers.ts';
export type { ApiServerEvent } from './api-server-event.ts';
export { eventOf, type HttpMessage } from './http-message.ts';
export { MalformedEventError } from './malformed-event-error.ts';
export type {
  ApiServerSource,
  ApiServerSourceSpec,
  EventOverrides,
  ResourceKind,
  WatchedResource,
} from './manifests/api-server-source.ts';
export type { Broker } from './manifests/broker.ts';
export { checkManifest, type Manifests } from './manifests/check-manifest.ts';
export { checkManifests, type ManifestProblem } from './manifests/check-manifests.ts';
export type { Delivery } from './manifests/delivery.ts';
export type { Destination, Reference } from './manifests/destination.ts';
export { millisecondsOf } from './manifests/duration.ts';
export type { Attributes, EventFilter } from './manifests/filters.ts';
export type { Metadata } from './manifests/metadata.ts';
export { MalformedManifestError, parseManifest } from './manifests/parse-manifest.ts';
export type { PingSource, PingSourceSpec } from './manifests/ping-source.ts';
export type { Problem } from './manifests/problem.ts';
export type { LabelRequirement, LabelSelector } from './manifests/selector.ts';
export type { Trigger, TriggerSpec } from './manifests/trigger.ts';
export { type PingEvent, parsePingEvent } from './ping-event.ts';
export { type ObjectReference, parseReferenceEvent, type ReferenceEvent } from './reference-event.ts';
export { parseResourceEvent, type ResourceEvent, type ResourceObject } from './resource-event.ts';
export { type EventReader, readEventsByEventOf } from './runtime.ts';
