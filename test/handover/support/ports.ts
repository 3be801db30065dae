import type { Port } from '../../../handover/decision/port.ts';
import { type PortRecord, recordEntries } from '../../../handover/decision/record.ts';
import { VMI_UID, VMIM_UID } from './moments.ts';

export const PINNED: PortRecord = {
  vmi: VMI_UID,
  migration: VMIM_UID,
  binding: 'pinned',
  source: 'worker-a',
  target: undefined,
};
export const DUAL: PortRecord = { ...PINNED, binding: 'dual', target: 'worker-b' };
export const SINCE = new Date('2026-08-20T10:00:01.234Z');

/** A port of the VM; `entries` stand in its external_ids beside what is not ours. */
export function port(change: Partial<Port> & { readonly record?: PortRecord } = {}): Port {
  const { record, ...fields } = change;
  return {
    uuid: '11111111-1111-4111-8111-111111111111',
    name: 'web-01.prod',
    addresses: ['02:00:5e:10:00:01 192.168.50.10'],
    options: { mcast_flood: 'true' },
    externalIds: { pod: 'prod/web-01', vendor: 'kube-ovn', ...(record && recordEntries(record, SINCE)) },
    ...fields,
  };
}
