import { hostname } from 'node:os';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { KubernetesEvent } from '../../../handover/decision/events.ts';
import { type EventContext, eventObject, onceMore } from '../../../handover/kubernetes/event.ts';
import { VMI, VMI_UID, VMIM_UID } from '../../../testkit/moments.ts';

const NO_PORT: KubernetesEvent = { type: 'Warning', reason: 'NoPort', message: 'no port' };
const CONTEXT: EventContext = {
  vmi: { ...VMI, uid: VMI_UID },
  migration: { name: 'migrate-web-01', uid: VMIM_UID },
  component: 'reuse-port',
};

beforeEach(() => {
  jest.useFakeTimers({ now: Date.parse('2026-11-30T10:00:01.250Z') });
});
afterEach(() => {
  jest.useRealTimers();
});

describe('an event', () => {
  test('is about the VMI, belongs to the migration, and says who does what and why', () => {
    expect(eventObject(NO_PORT, CONTEXT)).toEqual({
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: expect.stringMatching(/^web-01\.[0-9a-f]{16}$/), namespace: 'prod' },
      eventTime: '2026-11-30T10:00:01.250000Z',
      type: 'Warning',
      reason: 'NoPort',
      action: 'LetTargetGo',
      note: 'no port',
      regarding: { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance', ...VMI, uid: VMI_UID },
      related: {
        apiVersion: 'kubevirt.io/v1',
        kind: 'VirtualMachineInstanceMigration',
        namespace: 'prod',
        name: 'migrate-web-01',
        uid: VMIM_UID,
      },
      reportingController: 'ovn-handover.dev/reuse-port',
      reportingInstance: hostname(),
    });
  });

  test('of no migration is related to nothing', () => {
    expect(eventObject(NO_PORT, { ...CONTEXT, migration: undefined })).not.toHaveProperty('related');
  });

  test('has one name as long as it says the same of the same migration', () => {
    const names = [
      eventObject(NO_PORT, CONTEXT),
      eventObject(NO_PORT, { ...CONTEXT, vmi: { ...CONTEXT.vmi, uid: 'another' } }),
      eventObject(NO_PORT, { ...CONTEXT, migration: { name: 'another', uid: 'another' } }),
      eventObject(NO_PORT, { ...CONTEXT, migration: undefined }),
      eventObject(NO_PORT, { ...CONTEXT, component: 'reconcile' }),
      eventObject({ ...NO_PORT, reason: 'PortDual' }, CONTEXT),
      eventObject({ ...NO_PORT, message: 'another' }, CONTEXT),
    ].map(({ metadata }) => metadata.name);
    expect(new Set(names).size).toBe(7);
    jest.advanceTimersByTime(60_000);
    expect(eventObject(NO_PORT, CONTEXT).metadata.name).toBe(names[0]);
  });
});

test('an event that comes once more counts up from what it was read as', () => {
  const metadata = { name: 'web-01.1', namespace: 'prod', resourceVersion: '7' };
  const lastObservedTime = '2026-11-30T10:00:01.250000Z';
  const patch = (count: number) => ({ metadata: { resourceVersion: '7' }, series: { count, lastObservedTime } });
  expect(onceMore({ metadata })).toEqual(patch(2));
  expect(onceMore({ metadata, series: { count: 2, lastObservedTime: 'before' } })).toEqual(patch(3));
});
