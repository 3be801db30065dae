import { type FieldError, invalidValue, required } from './errors.ts';
import type { KubernetesObject } from './object.ts';

interface Event extends KubernetesObject {
  involvedObject?: { namespace?: string };
  eventTime?: string | null;
  reportingComponent?: string;
  reportingInstance?: string;
  action?: string;
  reason?: string;
  message?: string;
  series?: { count?: number; lastObservedTime?: string };
}

const limits = { reportingInstance: 128, action: 128, reason: 128, message: 1024 } as const;

/** An event with eventTime is "new" and has to say more; an old one lives in the namespace of what it is about. */
export function validateEvent(object: KubernetesObject): FieldError[] {
  const event = object as Event;
  const about = event.involvedObject?.namespace ?? '';
  const { namespace } = event.metadata;
  const mismatch = invalidValue('involvedObject.namespace', about, 'does not match event.namespace');
  if (!event.eventTime) return namespace === (about || 'default') ? [] : [mismatch];

  const errors: FieldError[] = [];
  if (!about && namespace !== 'default' && namespace !== 'kube-system') errors.push(mismatch);
  for (const field of ['reportingComponent', 'reportingInstance', 'action', 'reason'] as const) {
    if (!event[field]) errors.push(required(field, ''));
  }
  for (const [field, limit] of Object.entries(limits)) {
    const length = Buffer.byteLength(event[field as keyof typeof limits] ?? '');
    if (length > limit) errors.push(invalidValue(field, '', `can have at most ${limit} characters`));
  }
  const { series } = event;
  if (series && (series.count ?? 0) < 2)
    errors.push(invalidValue('series.count', series.count ?? 0, 'should be at least 2'));
  if (series && !series.lastObservedTime) errors.push(required('series.lastObservedTime', ''));
  return errors;
}
