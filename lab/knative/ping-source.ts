import { CloudEvent } from 'cloudevents';
import { Cron } from 'croner';
import { EventStream } from './event-stream.ts';
import type { Journal } from './journal.ts';
import { fields, type Manifest, nameOf, text } from './manifests.ts';
import { parseSink, type SourceSpec } from './source-spec.ts';

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
 * @throws ManifestError for what this source cannot do: data, content types and time zones.
 */
export function parsePingSource(manifest: Manifest): PingSourceSpec {
  const where = `${nameOf(manifest)}: spec`;
  const { name, namespace = 'default' } = manifest.metadata;
  const spec = fields(manifest.spec, where, ['schedule', 'sink']);
  const schedule = text(spec.schedule, `${where}.schedule`);
  return { name, namespace, schedule, sink: parseSink(spec.sink, namespace, `${where}.sink`) };
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
