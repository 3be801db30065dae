import { CloudEvent } from 'cloudevents';
import type { PortChanged } from '../schemas/generated/port-changed.js';
import type { Reconciled } from '../schemas/generated/reconciled.js';
import type { FunctionName, Step } from './decision/desired.ts';
import { ACTIVATION_STRATEGY, type PortChange, REQUESTED_CHASSIS } from './decision/port.ts';
import type { ReconcileResult } from './reconcile.ts';

const TYPES: Record<Step, string> = {
  'reuse-port': 'dev.ovn-handover.port.reused',
  'enable-dual-chassis': 'dev.ovn-handover.port.dual',
  'disable-dual-chassis': 'dev.ovn-handover.port.pinned',
  'release-port': 'dev.ovn-handover.port.released',
};

/**
 * The CloudEvent that tells what was done, or `undefined` where nothing was. Schema: `schemas/port-changed.schema.json`;
 * reconcile tells of one VM as of a sweep.
 */
export function replyOf(name: Step, result: ReconcileResult): CloudEvent<PortChanged> | undefined;
export function replyOf(name: FunctionName, result: ReconcileResult): CloudEvent<PortChanged | Reconciled> | undefined;
export function replyOf(name: FunctionName, result: ReconcileResult): CloudEvent<PortChanged | Reconciled> | undefined {
  const data = changedIn(result);
  if (data === undefined) return undefined;
  if (name === 'reconcile') return sweepReply({ looked: 1, changed: [data], failed: [] });
  const { vmi } = data;
  return new CloudEvent({
    type: TYPES[result.changes.at(-1)?.wanted.step ?? name],
    source: `/ovn-handover/${name}`,
    subject: `/apis/kubevirt.io/v1/namespaces/${vmi.namespace}/virtualmachineinstances/${vmi.name}`,
    datacontenttype: 'application/json',
    data,
  });
}

/** What was done for one VM, or `undefined` where nothing was. */
export function changedIn({ vmi, facts, changes, ungated }: ReconcileResult): PortChanged | undefined {
  if (changes.length === 0 && ungated.length === 0) return undefined;
  return {
    vmi: { ...vmi, ...(facts.vmi && { uid: facts.vmi.uid }) },
    ...(facts.migration && { migration: facts.migration.uid }),
    ...(ungated.length > 0 && { ungatedPods: [...new Set(ungated.map(({ pod }) => pod.metadata.name))] }),
    ports: changes.map(changedPort),
  };
}

/** The CloudEvent that sums a sweep up. Schema: `schemas/reconciled.schema.json`. */
export function sweepReply(summary: Reconciled): CloudEvent<Reconciled> {
  return new CloudEvent({
    type: 'dev.ovn-handover.reconciled',
    source: '/ovn-handover/reconcile',
    datacontenttype: 'application/json',
    data: summary,
  });
}

function changedPort({ port, wanted, options }: PortChange): PortChanged['ports'][number] {
  const requestedChassis = options[REQUESTED_CHASSIS];
  const activationStrategy = options[ACTIVATION_STRATEGY];
  return {
    name: port.name,
    uuid: port.uuid,
    rule: wanted.rule,
    binding: wanted.binding,
    ...(requestedChassis !== undefined && { requestedChassis }),
    ...(activationStrategy !== undefined && { activationStrategy }),
  };
}
