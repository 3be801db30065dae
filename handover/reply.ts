import { CloudEvent } from 'cloudevents';
import type { PortChanged } from '../schemas/generated/port-changed.js';
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
export function replyOf(step: Step, { situation, changes, admitted }: Outcome): CloudEvent<PortChanged> | undefined {
  if (changes.length === 0 && admitted === undefined) return undefined;
  const { vmi, facts } = situation;
  const data: PortChanged = {
    vmi: { ...vmi, ...(facts.vmi && { uid: facts.vmi.uid }) },
    ...(facts.migration && { migration: facts.migration.uid }),
    ...(admitted && { admittedPod: admitted.pod.metadata.name }),
    ports: changes.flatMap(changedPort),
  };
  return new CloudEvent({
    type: TYPES[step],
    source: `/ovn-handover/${step}`,
    subject: `/apis/kubevirt.io/v1/namespaces/${vmi.namespace}/virtualmachineinstances/${vmi.name}`,
    datacontenttype: 'application/json',
    data,
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
