import { CloudEvent } from 'cloudevents';
import type { PortChanged } from '../schemas/generated/port-changed.js';
import type { Reconciled } from '../schemas/generated/reconciled.js';
import type { Step } from './desired.ts';
import type { Outcome } from './handover.ts';
import { ACTIVATION_STRATEGY, type PortChange, REQUESTED_CHASSIS } from './port.ts';

const TYPES: Record<Step, string> = {
  'reuse-port': 'dev.ovn-handover.port.reused',
  'enable-dual-chassis': 'dev.ovn-handover.port.dual',
  'disable-dual-chassis': 'dev.ovn-handover.port.pinned',
  'release-port': 'dev.ovn-handover.port.released',
};

/** The CloudEvent that tells what was done, or `undefined` where nothing was. Schema: `schemas/port-changed.schema.json`. */
export function replyOf(step: Step, outcome: Outcome): CloudEvent<PortChanged> | undefined {
  const data = changedIn(outcome);
  if (data === undefined) return undefined;
  const { namespace, name } = data.vmi;
  return new CloudEvent({
    type: TYPES[step],
    source: `/ovn-handover/${step}`,
    subject: `/apis/kubevirt.io/v1/namespaces/${namespace}/virtualmachineinstances/${name}`,
    datacontenttype: 'application/json',
    data,
  });
}

/** What was done for one VM, or `undefined` where nothing was. */
export function changedIn({ situation, changes, admitted }: Outcome): PortChanged | undefined {
  if (changes.length === 0 && admitted === undefined) return undefined;
  const { vmi, facts } = situation;
  return {
    vmi: { ...vmi, ...(facts.vmi && { uid: facts.vmi.uid }) },
    ...(facts.migration && { migration: facts.migration.uid }),
    ...(admitted && { admittedPod: admitted.pod.metadata.name }),
    ports: changes.flatMap(changedPort),
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

function changedPort({ port, wanted, options }: PortChange): PortChanged['ports'] {
  if (wanted.binding === 'leave') return [];
  const requestedChassis = options[REQUESTED_CHASSIS];
  const activationStrategy = options[ACTIVATION_STRATEGY];
  return [
    {
      name: port.name,
      uuid: port.uuid,
      rule: wanted.rule,
      binding: wanted.binding,
      ...(requestedChassis !== undefined && { requestedChassis }),
      ...(activationStrategy !== undefined && { activationStrategy }),
    },
  ];
}
