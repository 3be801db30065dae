/** What is seen of the launcher pods of a VM that are no target of its migration. */
import { describe, expect, test } from '@jest/globals';
import { factsOf } from '../../../handover/decision/facts.ts';
import type { Pod } from '../../../handover/decision/kubevirt.ts';
import { factsAt, IDLE, owner, pod, VMIM_UID, vmi, vmim } from '../../../testkit/moments.ts';

const scheduled = pod('target-02-scheduled');

describe('whether the guest’s pod is the only one that may be plugged in', () => {
  const guests = pod('source-running');
  const ended = (change: object = {}) =>
    pod('source-completed', { metadata: { uid: 'other', name: 'other' }, ...change });
  const isAlone = (pods: Pod[], time = '2026-08-20T12:00:00Z') => factsAt({ pods }, Date.parse(time)).vmi?.isAlone;

  test('it is where there is no other', () => {
    expect(isAlone([guests])).toBe(true);
  });

  test('it is not where that pod itself is not there, or another one beside it', () => {
    expect(isAlone([])).toBe(false);
    expect(isAlone([pod('source-running', { spec: { nodeName: 'worker-c' } })])).toBe(false);
    expect(isAlone([guests, pod('source-running', { metadata: { uid: 'other' } })])).toBe(false);
    expect(isAlone([pod('source-running', { metadata: { deletionTimestamp: '2026-08-20T11:00:00Z' } })])).toBe(false);
  });

  test('a pod that no VMI of this uid controls does not count', () => {
    const foreign = pod('target-03-running', { metadata: { ownerReferences: [owner({ uid: 'another' })] } });
    expect(isAlone([guests, foreign])).toBe(true);
  });

  test.each([
    ['runs', pod('target-03-running')],
    ['waits at a gate', pod('target-01-created-unscheduled')],
    ['is being deleted', pod('target-03-running', { metadata: { deletionTimestamp: '2026-08-20T10:00:00Z' } })],
    ['says nothing of itself', pod('target-03-running', { status: { phase: undefined } })],
  ])('another pod that %s may be', (_what, other) => {
    expect(isAlone([guests, other])).toBe(false);
  });

  test.each(['Succeeded', 'Failed'])(
    'a pod that has %s without ever having had a node was never plugged in',
    (phase) => {
      for (const nodeName of [undefined, '']) {
        expect(isAlone([guests, ended({ spec: { nodeName }, status: { phase } })])).toBe(true);
      }
    },
  );

  test('a pod that has ended is unplugged more than a minute after its last container has finished', () => {
    const containerStatuses = [
      { state: { terminated: { finishedAt: '2026-08-20T10:00:20Z' } } },
      { state: { terminated: { finishedAt: '2026-08-20T10:00:22Z' } } },
      { state: { running: {} } },
      {},
    ];
    for (const pods of [
      [guests, ended({ status: { phase: 'Succeeded', containerStatuses } })],
      [guests, ended()],
    ]) {
      expect(isAlone(pods, '2026-08-20T10:01:22.000Z')).toBe(false);
      expect(isAlone(pods, '2026-08-20T10:01:22.001Z')).toBe(true);
    }
  });

  test('where no container says when, the last change of its conditions does', () => {
    const conditions = [
      { lastTransitionTime: '2026-08-20T10:00:30Z' },
      { lastTransitionTime: new Date('2026-08-20T10:00:10Z') },
      {},
    ];
    const status = { phase: 'Failed', containerStatuses: undefined, conditions };
    expect(isAlone([guests, ended({ status })], '2026-08-20T10:01:30.000Z')).toBe(false);
    expect(isAlone([guests, ended({ status })], '2026-08-20T10:01:30.001Z')).toBe(true);
  });

  test.each([
    ['nothing at all', { containerStatuses: undefined, conditions: undefined }],
    ['no time', { containerStatuses: [{ state: { terminated: {} } }], conditions: [{}] }],
    ['a time that is none', { containerStatuses: [{ state: { terminated: { finishedAt: 'then' } } }] }],
  ])('where it says %s of when, it may be plugged in', (_what, status) => {
    expect(isAlone([guests, ended({ status: { phase: 'Succeeded', ...status } })])).toBe(false);
  });

  test('the pod of a VMI without a status is not known', () => {
    const { metadata } = vmi('01-idle');
    expect(factsOf({ migrations: [], vmi: { metadata }, pods: [guests] }).vmi?.isAlone).toBe(false);
  });

  test('the time is that of the look', () => {
    expect(factsOf({ ...IDLE, pods: [guests, ended()] }).vmi?.isAlone).toBe(true);
    const finishedAt = new Date().toISOString();
    const now = ended({
      status: { phase: 'Succeeded', containerStatuses: [{ state: { terminated: { finishedAt } } }] },
    });
    expect(factsOf({ ...IDLE, pods: [guests, now] }).vmi?.isAlone).toBe(false);
  });
});

describe('pods that our gates hold without a reason', () => {
  const gated = (change: { metadata?: object; status?: object } = {}, gates = ['ovn-handover.dev/dual']) =>
    pod('target-01-created-unscheduled', { spec: { schedulingGates: gates.map((name) => ({ name })) }, ...change });
  const strays = (pods: Pod[], migrations = [vmim('02-scheduling')]) =>
    factsAt({ pods, migrations }).strays.map(({ pod, why }) => [pod.metadata.uid, why]);
  const { uid } = scheduled.metadata;
  const labelled = (job: string | undefined) => gated({ metadata: { labels: { 'kubevirt.io/migrationJobUID': job } } });

  test('the target of a migration that runs is none', () => {
    expect(strays([gated()])).toEqual([]);
  });

  test('the target of a migration that is being deleted is none: it may still need the network', () => {
    expect(strays([gated()], [vmim('10-aborting-running')])).toEqual([]);
  });

  test('a pod is one whose VMIM is not there, or is of another VMI', () => {
    const why = `there is no VMIM ${VMIM_UID} of its VMI`;
    expect(strays([gated()], [])).toEqual([[uid, why]]);
    expect(strays([gated()], [vmim('02-scheduling', { spec: { vmiName: 'web-02' } })])).toEqual([[uid, why]]);
    expect(strays([labelled('another')])).toEqual([[uid, 'there is no VMIM another of its VMI']]);
  });

  test('a pod is one that no migration has made', () => {
    const bare = gated({ metadata: { labels: undefined } });
    for (const pod of [bare, labelled(undefined)]) expect(strays([pod])).toEqual([[uid, 'no migration has made it']]);
  });

  test.each(['08-failed', '07a-succeeded-first-event'])('a pod is one whose migration has ended: %s', (name) => {
    expect(strays([gated()], [vmim(name)])).toEqual([[uid, 'migration kubevirt-migrate-vm-x7k2p has ended']]);
  });

  test.each(['sendTo', 'receive'])('a pod is one whose migration is decentralized, by %s', (half) => {
    const migration = vmim('02-scheduling', { spec: { [half]: {} } });
    expect(strays([gated()], [migration])).toEqual([
      [uid, 'migration kubevirt-migrate-vm-x7k2p is decentralized, and its other half is elsewhere'],
    ]);
  });

  test('a pod without our gates, one that has ended, and one of another VMI are none', () => {
    expect(strays([gated({}, ['example.com/quota'])], [])).toEqual([]);
    expect(strays([gated({ status: { phase: 'Failed' } })], [])).toEqual([]);
    expect(strays([gated({ metadata: { deletionTimestamp: '2026-08-20T10:00:09Z' } })], [])).toEqual([]);
    expect(strays([gated({ metadata: { ownerReferences: [owner({ uid: 'another' })] } })], [])).toEqual([]);
  });
});
