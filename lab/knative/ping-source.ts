import { CloudEvent } from 'cloudevents';
import { Cron } from 'croner';
import { parseManifest } from 'knative-eventing-ts-sdk';
import { EventStream } from './event-stream.ts';
import type { Journal } from './journal.ts';
import { type Manifest, nameOf, requireAbsent } from './manifests.ts';
import { brokerOf, type SourceSpec } from './source-spec.ts';

export interface PingSourceSpec {
  readonly name: string;
  readonly namespace: string;
  /** Five fields of cron, or six with the seconds first. */
  readonly schedule: string;
  readonly sink: SourceSpec['sink'];
}

/**
 * Reads a PingSource.
 *
 * @throws MalformedManifestError for what is none
 * @throws ManifestError for what this source cannot do: data, content types, time zones and extensions
 */
export function parsePingSource(manifest: Manifest): PingSourceSpec {
  const { metadata, spec } = parseManifest('PingSource', manifest);
  const where = `${nameOf(manifest)}: spec`;
  const { name = '', namespace = 'default' } = metadata;
  requireAbsent(spec, where, ['timezone', 'contentType', 'data', 'dataBase64', 'ceOverrides']);
  return {
    name,
    namespace,
    schedule: spec.schedule ?? '* * * * *',
    sink: brokerOf(spec.sink, namespace, `${where}.sink`),
  };
}

/** The stand-in for Knative's ping adapter: an event at each tick of a schedule. */
export class PingSource {
  readonly #spec: PingSourceSpec;
  readonly #stream: EventStream;
  #cron: Cron | undefined;

  constructor(spec: PingSourceSpec, { sink, journal }: { sink: string; journal: Journal }) {
    this.#spec = spec;
    this.#stream = new EventStream({ sink, namespace: spec.namespace, journal });
  }

  start(): void {
    this.#cron = new Cron(this.#spec.schedule, () => this.#tick());
  }

  async stop(): Promise<void> {
    this.#cron?.stop();
    await this.#stream.stop();
  }

  #tick(): void {
    const { namespace, name } = this.#spec;
    const source = `/apis/v1/namespaces/${namespace}/pingsources/${name}`;
    this.#stream.push(new CloudEvent({ type: 'dev.knative.sources.ping', source }));
  }
}
