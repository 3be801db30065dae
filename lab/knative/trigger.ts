import { type Destination, parseManifest } from 'knative-eventing-ts-sdk';
import { type Delivery, parseDelivery } from './delivery.ts';
import { compileFilters, type Filter } from './filters.ts';
import { type Manifest, ManifestError, nameOf, requireAbsent } from './manifests.ts';

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

/**
 * Reads a Trigger.
 *
 * @throws MalformedManifestError for what is none
 * @throws ManifestError for what this broker cannot do
 */
export function parseTrigger(manifest: Manifest): Trigger {
  const { metadata, spec } = parseManifest('Trigger', manifest);
  const where = `${nameOf(manifest)}: spec`;
  const { name = '', namespace = 'default' } = metadata;
  const { broker = '', subscriber, delivery: { deadLetterSink, ...delivery } = {} } = spec;
  requireAbsent(spec, where, ['brokerRef']);
  requireAbsent(delivery, `${where}.delivery`, ['format']);
  return {
    name,
    namespace,
    broker,
    wants: compileFilters(spec, where),
    delivery: parseDelivery(delivery),
    subscriber: serviceOf(subscriber, namespace, `${where}.subscriber`),
    deadLetterSink: deadLetterSink && serviceOf(deadLetterSink, namespace, `${where}.delivery.deadLetterSink`),
  };
}

function serviceOf({ ref, ...rest }: Destination, ownNamespace: string, where: string): ServiceReference {
  requireAbsent(rest, where, ['uri', 'CACerts', 'audience']);
  if (ref?.kind !== 'Service' || ref.apiVersion !== 'serving.knative.dev/v1') {
    throw new ManifestError(`${where}.ref`, 'must be a Service of serving.knative.dev/v1');
  }
  return { name: ref.name, namespace: ref.namespace ?? ownNamespace };
}
