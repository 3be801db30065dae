import { type EventOverrides, eventOverrides } from './api-server-source.ts';
import { anything, type Check, filledText, mapping, oneOf, required, text } from './check.ts';
import { type Destination, destination } from './destination.ts';
import { type Metadata, metadata } from './metadata.ts';
import type { Problem } from './problem.ts';
import { schedule, timeZone } from './schedule.ts';

/**
 * Makes an event at each tick of a schedule.
 *
 * @see [Knative, PingSource](https://knative.dev/docs/eventing/sources/ping-source/reference/)
 *
 * @example
 * ```ts
 * const source: PingSource = {
 *   apiVersion: 'sources.knative.dev/v1',
 *   kind: 'PingSource',
 *   metadata: { name: 'hourly' },
 *   spec: { schedule: '0 * * * *', sink: { uri: 'http://sweep.shop' } },
 * };
 * checkManifest(source); // => []
 * ```
 */
export interface PingSource {
  readonly apiVersion: 'sources.knative.dev/v1';
  readonly kind: 'PingSource';
  readonly metadata: Metadata;
  readonly spec: PingSourceSpec;
  readonly status?: unknown;
}

/**
 * When a PingSource ticks, with which data, and where its events go.
 *
 * @see [Knative, PingSource](https://knative.dev/docs/eventing/sources/ping-source/reference/)
 *
 * @example
 * ```ts
 * const spec: PingSourceSpec = {
 *   schedule: '0 6 * * mon-fri',
 *   timezone: 'Europe/Vienna',
 *   contentType: 'application/json',
 *   data: '{"sweep":true}',
 *   sink: { uri: 'http://sweep.shop' },
 * };
 * ```
 */
export interface PingSourceSpec {
  /** Five fields of cron, or six with the seconds first; every minute by default. */
  readonly schedule?: string;
  /** A name of the IANA database. */
  readonly timezone?: string;
  /** Of the data. */
  readonly contentType?: string;
  readonly data?: string;
  /** Instead of `data`. */
  readonly dataBase64?: string;
  readonly sink: Destination;
  readonly ceOverrides?: EventOverrides;
}

const BASE64 = /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const spec: Check<PingSourceSpec> = mapping<PingSourceSpec>(
  {
    schedule,
    timezone: timeZone,
    contentType: filledText,
    data: text,
    dataBase64: text,
    sink: required(destination),
    ceOverrides: eventOverrides,
  },
  ({ data, dataBase64 }, where) => [
    data !== undefined && dataBase64 !== undefined && { where, what: 'must not have both data and dataBase64' },
  ],
  ({ contentType, data, dataBase64 = '' }, where) => {
    if (!BASE64.test(dataBase64)) return [{ where: `${where}/dataBase64`, what: 'must be base64' }];
    if (contentType !== 'application/json') return [];
    const field = data === undefined ? 'dataBase64' : 'data';
    const json = data ?? Buffer.from(dataBase64, 'base64').toString();
    return [notAnObject(json, `${where}/${field}`)];
  },
);

/** Knative wants the data of this content type to be not just JSON, but an object. */
function notAnObject(json: string, where: string): Problem | undefined {
  const what = 'must be a JSON object, because contentType is application/json';
  try {
    const value = json === '' ? {} : JSON.parse(json);
    return typeof value === 'object' && !Array.isArray(value) ? undefined : { where, what };
  } catch {
    return { where, what };
  }
}

export const pingSource: Check<PingSource> = mapping<PingSource>({
  apiVersion: required(oneOf('sources.knative.dev/v1')),
  kind: required(oneOf('PingSource')),
  metadata: required(metadata()),
  spec: required(spec),
  status: anything,
});
