import type { Port } from '../../../handover/decision/port.ts';
import { type PortRecord, recordEntries } from '../../../handover/decision/record.ts';
import { VMI_UID, VMIM_UID } from '../../../testkit/moments.ts';

export const PINNED: PortRecord = {
  vmi: VMI_UID,
  migration: VMIM_UID,
  binding: 'pinned',
  source: 'worker-a',
  target: undefined,
};
export const DUAL: PortRecord = { ...PINNED, binding: 'dual', target: 'worker-b' };
export const SINCE = new Date('2026-08-20T10:00:01.234Z');

/** Chassis name by node. */
export const CHASSIS = new Map([
  ['worker-a', 'chassis-1'],
  ['worker-b', 'chassis-2'],
  ['worker-c', 'chassis-3'],
]);

/** What stands in `options` of a port that is bound so, beside the record. */
export const TO_SOURCE = { 'requested-chassis': 'chassis-1' };
export const TO_TARGET = { 'requested-chassis': 'chassis-2' };
export const TO_BOTH = { 'requested-chassis': 'chassis-1,chassis-2' };
export const ARMED = { ...TO_BOTH, 'activation-strategy': 'rarp' };

/** A port of the VM, with a record and options beside what is not ours. */
export function port({ record, options, ...fields }: Partial<Port> & { readonly record?: PortRecord } = {}): Port {
  return {
    uuid: '11111111-1111-4111-8111-111111111111',
    name: 'web-01.prod',
    addresses: ['02:00:5e:10:00:01 192.168.50.10'],
    options: { mcast_flood: 'true', ...options, ...(record && recordEntries(record, SINCE)) },
    externalIds: { pod: 'prod/web-01', vendor: 'kube-ovn' },
    ...fields,
  };
}

/** Another interface of the same VM. */
export const SECOND = { uuid: '22222222-2222-4222-8222-222222222222', name: 'web-01.prod.tenant-a.prod.ovn' };
