import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { ACTIONS, type KubernetesEvent } from '../decision/events.ts';
import type { ObjectMeta, VmiReference } from '../decision/kubevirt.ts';

/** Kubernetes names the host of a container after its pod. */
const POD_NAME = hostname();

/** What an event is about, and who reports it. */
export interface EventContext {
  readonly vmi: VmiReference & { readonly uid: string };
  /** The VMIM that it belongs to. */
  readonly migration?: { readonly name: string; readonly uid: string } | undefined;
  /** The function. */
  readonly component: string;
}

/** An Event of `events.k8s.io/v1`, as far as anybody here reads it again. */
export interface EventObject {
  readonly metadata: Pick<ObjectMeta, 'name' | 'namespace' | 'resourceVersion'>;
  /** It has come again: how often in all, and when last. */
  readonly series?: { readonly count: number; readonly lastObservedTime: string };
}

/** The first of its kind. */
export function eventObject(
  event: KubernetesEvent,
  context: EventContext,
): EventObject & Readonly<Record<string, unknown>> {
  const { vmi, migration, component } = context;
  const { namespace } = vmi;
  const kubevirt = { apiVersion: 'kubevirt.io/v1', namespace };
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: nameOf(event, context), namespace },
    eventTime: microTime(),
    type: event.type,
    reason: event.reason,
    action: ACTIONS[event.reason],
    note: event.message,
    regarding: { ...kubevirt, kind: 'VirtualMachineInstance', name: vmi.name, uid: vmi.uid },
    ...(migration && {
      related: { ...kubevirt, kind: 'VirtualMachineInstanceMigration', name: migration.name, uid: migration.uid },
    }),
    reportingController: `ovn-handover.dev/${component}`,
    reportingInstance: POD_NAME,
  };
}

/** A merge patch that says of an event that it has come once more. */
export function onceMore({ metadata: { resourceVersion }, series }: EventObject): object {
  return { metadata: { resourceVersion }, series: { count: (series?.count ?? 1) + 1, lastObservedTime: microTime() } };
}

/** The same line about the same migration has the same name, so that it becomes one event however often it comes. */
function nameOf({ reason, message }: KubernetesEvent, { vmi, migration, component }: EventContext): string {
  const key = JSON.stringify([vmi.uid, migration?.uid, component, reason, message]);
  return `${vmi.name}.${createHash('sha256').update(key).digest('hex').slice(0, 16)}`;
}

/** Kubernetes' MicroTime wants six digits. */
function microTime(): string {
  return new Date().toISOString().replace('Z', '000Z');
}
