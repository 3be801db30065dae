import { MalformedEventError } from './malformed-event-error.ts';

/** The attributes that every CloudEvent has, and its data. */
export interface Envelope {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string | undefined;
  readonly data: unknown;
}

/**
 * Checks that a value has the shape of a CloudEvent 1.0. The check is structural because a bundle may hold another copy
 * of the class than the runtime that made the event.
 */
export function parseEnvelope(event: unknown): Envelope {
  if (!isObject(event)) {
    throw new MalformedEventError(400, '', `expected a CloudEvent, got ${nameOf(event)}`);
  }
  if (event.specversion !== '1.0') {
    throw new MalformedEventError(400, '/specversion', `expected "1.0", got ${nameOf(event.specversion)}`);
  }
  const { subject } = event;
  if (subject !== undefined && typeof subject !== 'string') {
    throw new MalformedEventError(400, '/subject', `expected a string, got ${nameOf(subject)}`);
  }
  return {
    id: attribute(event, 'id'),
    source: attribute(event, 'source'),
    type: attribute(event, 'type'),
    subject,
    data: event.data,
  };
}

function attribute(event: Record<string, unknown>, name: string): string {
  const value = event[name];
  if (typeof value !== 'string' || value === '') {
    throw new MalformedEventError(400, `/${name}`, `expected a non-empty string, got ${nameOf(value)}`);
  }
  return value;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Names a value for an error line; a string is shown, cut short, anything else only by its type. */
export function nameOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'string') return JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value);
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
