import { MalformedEventError, parseResourceEvent } from 'knative-eventing-ts-sdk';
import validateMigration from '../schemas/generated/event-migration.js';
import validatePod from '../schemas/generated/event-pod.js';
import validateVmi from '../schemas/generated/event-vmi.js';
import { type PortHint, portHintOf } from './decision/hint.ts';
import type { EventTimes } from './decision/history.ts';
import { controllingVmi, type Pod, TARGET_READY_ANNOTATION, type VmiReference } from './decision/kubevirt.ts';

/** All that is taken from an event or a sweep: which VM to look at, where its ports may be found, and how often to look. */
export interface ReconcileRequest {
  readonly vmi: VmiReference;
  readonly hint?: PortHint | undefined;
  /** In a sweep: uuids of all ports of the VM that carry our record. */
  readonly recorded?: readonly string[] | undefined;
  /** A launcher pod was deleted, or is being deleted: others may write to the VM's ports for that. */
  readonly isPodDeletion?: boolean;
  /** What is told of the event itself; a sweep has none. */
  readonly event?: EventOrigin | undefined;
}

/** An event that wakes a function, as logs and records name it. */
export interface EventOrigin extends EventTimes {
  readonly id: string;
  /** W3C Trace Context, as an extension of the CloudEvent. */
  readonly traceparent: string | undefined;
  /** Whom a broker has brought it to before, in all its retries, and in vain. */
  readonly givenUpBy: string | undefined;
}

/**
 * Which VM an event is about; `undefined` where it is about none.
 * @throws MalformedEventError for what is no event of ours; its `where` is a JSON pointer into the event
 */
export function requestFrom(event: unknown): ReconcileRequest | undefined {
  const { action, object } = parseResourceEvent(event);
  if (object.kind === 'VirtualMachineInstanceMigration') {
    if (!validateMigration(object)) throw invalid(validateMigration.errors);
    return { vmi: { namespace: object.metadata.namespace, name: object.spec.vmiName } };
  }
  if (object.kind === 'VirtualMachineInstance') {
    if (!validateVmi(object)) throw invalid(validateVmi.errors);
    return { vmi: { namespace: object.metadata.namespace, name: object.metadata.name } };
  }
  if (object.kind === 'Pod') {
    if (!validatePod(object)) throw invalid(validatePod.errors);
    const owner = controllingVmi(object as unknown as Pod);
    if (owner === undefined) return undefined;
    return {
      vmi: { namespace: object.metadata.namespace, name: owner.name },
      hint: portHintOf(object as unknown as Pod),
      // Kube-OVN takes a pod for deleted once it is being deleted.
      isPodDeletion: action === 'delete' || object.metadata.deletionTimestamp !== undefined,
    };
  }
  return undefined;
}

/** @param event a CloudEvent, of which `requestFrom` has made a request */
export function originOf(event: unknown): EventOrigin {
  const { id, time, traceparent, knativeerrordest, data } = event as Record<string, unknown>;
  const sentAt = Date.parse(String(time));
  return {
    id: String(id),
    sentAt: Number.isNaN(sentAt) ? undefined : sentAt,
    traceparent: textOf(traceparent),
    givenUpBy: textOf(knativeerrordest),
    showsSwitch: (data as Pod).metadata.annotations?.[TARGET_READY_ANNOTATION] !== undefined,
  };
}

function textOf(attribute: unknown): string | undefined {
  return typeof attribute === 'string' ? attribute : undefined;
}

function invalid(errors: typeof validatePod.errors): MalformedEventError {
  // A validator that says no says why.
  const { instancePath, message } = errors![0]!;
  return new MalformedEventError(422, `/data${instancePath}`, message!);
}
