import { type Delivery, parseDelivery } from './delivery.ts';
import { compileFilters, type Filter } from './filters.ts';
import { anyFields, fields, type Manifest, ManifestError, nameOf, text } from './manifests.ts';

/** A Knative Service that a Trigger delivers to. */
export interface ServiceReference {
  readonly namespace: string;
  readonly name: string;
}

export interface Trigger {
  readonly name: string;
  readonly namespace: string;
  /** Name of its broker, which is in the same namespace. */
  readonly broker: string;
  readonly wants: Filter;
  readonly delivery: Delivery;
  readonly subscriber: ServiceReference;
  /** Gets the events that the subscriber never took. */
  readonly deadLetterSink: ServiceReference | undefined;
}

/** @throws ManifestError for what this broker cannot do. */
export function parseTrigger(manifest: Manifest): Trigger {
  const where = nameOf(manifest);
  const { name, namespace = 'default' } = manifest.metadata;
  const spec = fields(manifest.spec, `${where}: spec`, ['broker', 'filter', 'filters', 'subscriber', 'delivery']);
  const { deadLetterSink, ...delivery } = anyFields(spec.delivery ?? {}, `${where}: spec.delivery`);
  return {
    name,
    namespace,
    broker: text(spec.broker, `${where}: spec.broker`),
    wants: compileFilters(spec, `${where}: spec`),
    delivery: parseDelivery(delivery, `${where}: spec.delivery`),
    subscriber: destination(spec.subscriber, namespace, `${where}: spec.subscriber`),
    deadLetterSink:
      deadLetterSink === undefined
        ? undefined
        : destination(deadLetterSink, namespace, `${where}: spec.delivery.deadLetterSink`),
  };
}

function destination(value: unknown, ownNamespace: string, at: string): ServiceReference {
  const where = `${at}.ref`;
  const ref = fields(fields(value, at, ['ref']).ref, where, ['apiVersion', 'kind', 'name', 'namespace']);
  if (ref.apiVersion !== 'serving.knative.dev/v1' || ref.kind !== 'Service') {
    throw new ManifestError(where, 'must be a Service of serving.knative.dev/v1');
  }
  return {
    name: text(ref.name, `${where}.name`),
    namespace: text(ref.namespace ?? ownNamespace, `${where}.namespace`),
  };
}
