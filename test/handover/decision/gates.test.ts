import { describe, expect, test } from '@jest/globals';
import { desired, type Step } from '../../../handover/decision/desired.ts';
import { TryAgainError } from '../../../handover/decision/errors.ts';
import { factsOf, type Objects } from '../../../handover/decision/facts.ts';
import { admission } from '../../../handover/decision/gates.ts';
import { type Pod, SCHEDULING_GATE } from '../../../handover/decision/kubevirt.ts';
import type { Port } from '../../../handover/decision/port.ts';
import { profileOf } from '../../../handover/decision/profile.ts';
import { recordOf } from '../../../handover/decision/record.ts';
import { moment, pod, VMI, vmi, vmim } from '../support/moments.ts';
import { DUAL, PINNED, port } from '../support/ports.ts';

const BINDING = '33333333-3333-4333-8333-333333333333';
const HINT = { 'ovn-handover.dev/ports': JSON.stringify({ ports: [port().uuid], bindings: [BINDING] }) };
const gates = { schedulingGates: [{ name: 'example.com/quota' }, { name: SCHEDULING_GATE }] };
const gated = pod('target-01-created-unscheduled', { spec: gates });
const source = pod('source-running', { metadata: { annotations: { 'ovn.kubernetes.io/ip_address': '10.16.0.9' } } });
const second = port({ uuid: '22222222-2222-4222-8222-222222222222', name: 'web-01.prod.tenant-a.prod.ovn' });

/** Whether the target pod is admitted, given what Kubernetes has and the ports as they were read. */
function admitting(
  target: Pod,
  ports: readonly Port[],
  change: Partial<Objects> = {},
  isOwn: (step: Step) => boolean = (step) => step === 'reuse-port',
) {
  const facts = factsOf({ ...moment('target pod created'), pods: [source, target], ...change });
  return admission({
    vmi: VMI,
    facts,
    verdicts: ports.map((port) => ({ port, wanted: desired(facts, recordOf(port.externalIds)) })),
    profile: profileOf('kube-ovn', ''),
    isOwn,
    bindings: async () =>
      ports.map(({ name }) => ({ uuid: BINDING, port: name, addresses: [], activated: [], claimants: [] })),
  });
}

describe('a gated target pod', () => {
  test('is admitted once the ports are pinned to the source, and takes along identity and hint', async () => {
    expect(await admitting(gated, [port({ record: PINNED })])).toEqual({
      pod: gated,
      annotations: { 'ovn.kubernetes.io/ip_address': '10.16.0.9', ...HINT },
      remarks: [],
    });
  });

  test('does not wait for a port whose pin was committed on this very look, and is not read again', async () => {
    expect(await admitting(gated, [port()])).toMatchObject({ pod: gated, annotations: HINT });
  });

  test('has the gate of this name, and no other is taken for it', async () => {
    const named = (name: string) => pod('target-01-created-unscheduled', { spec: { schedulingGates: [{ name }] } });
    expect(await admitting(named('ovn-handover.dev/port'), [])).toMatchObject({ remarks: [{ reason: 'NoPort' }] });
    expect(await admitting(named('example.com/quota'), [])).toBeUndefined();
  });

  test('waits while a port of the VM is bound for another migration', async () => {
    const running = { ...moment('target pod running'), migrations: [vmim('02-scheduling')] };
    const target = pod('target-02-scheduled', { spec: { ...gates, nodeName: 'worker-b' } });
    const stale = port({ record: { ...DUAL, migration: 'another' } });
    await expect(admitting(target, [stale], running)).rejects.toThrow(TryAgainError);
    await expect(admitting(target, [port({ record: DUAL }), port()], running)).rejects.toThrow(TryAgainError);
  });

  test('waits while the VMI has no node to pin the ports to', async () => {
    const nodeless = { vmi: vmi('01-idle', { status: { nodeName: '' } }) };
    await expect(admitting(gated, [port()], nodeless)).rejects.toThrow(
      /web-01\.prod is not yet bound for migration kubevirt-migrate-vm-x7k2p/,
    );
    // Also for reconcile, whose part is every step: there is none to make.
    await expect(admitting(gated, [port()], nodeless, () => true)).rejects.toThrow(TryAgainError);
  });

  test('that somebody scheduled does not wait once its ports are dual: another function made that step', async () => {
    const running = { ...moment('target pod running'), migrations: [vmim('02-scheduling')] };
    const target = pod('target-02-scheduled');
    expect(await admitting(target, [port({ record: DUAL })], running)).toMatchObject({ annotations: HINT });
  });

  test('of a VM whose ports cannot be found goes on, and that is told', async () => {
    const admitted = await admitting(gated, []);
    expect(admitted).toMatchObject({ pod: gated, annotations: {} });
    expect(admitted?.remarks).toMatchObject([
      { type: 'Warning', reason: 'NoPort', message: expect.stringContaining('prod/web-01') },
    ]);
  });

  test('of a VM that is not opted in goes on without a word: nothing is ours to hand over', async () => {
    const silent = vmi('01-idle', { metadata: { annotations: {} } });
    expect(await admitting(gated, [port()], { vmi: silent })).toEqual({ pod: gated, annotations: {}, remarks: [] });
  });

  test('of a VM that opted out half-way goes on: the port that has no record of ours is no reason to wait', async () => {
    const silent = vmi('01-idle', { metadata: { annotations: {} } });
    expect(await admitting(gated, [port({ record: PINNED }), second], { vmi: silent })).toMatchObject({ pod: gated });
  });

  test('that already has another identity is admitted, and that is told', async () => {
    const own = { 'ovn.kubernetes.io/ip_address': '10.16.0.77' };
    const admitted = await admitting(
      pod('target-01-created-unscheduled', { spec: gates, metadata: { annotations: own } }),
      [port()],
    );
    expect(admitted?.annotations).toEqual(HINT);
    expect(admitted?.remarks).toMatchObject([
      { type: 'Warning', reason: 'IdentityDiffers', message: expect.stringContaining('10.16.0.77') },
    ]);
  });

  test.each([
    ['whose migration is being deleted', {}, { migrations: [vmim('10-aborting-running')] }],
    ['that is being deleted', { metadata: { deletionTimestamp: '2026-08-20T10:00:09Z' } }, {}],
    ['that failed', { status: { phase: 'Failed' } }, {}],
    ['whose migration is over', {}, { migrations: [vmim('08-failed')] }],
    ['whose VMI is gone', {}, { vmi: undefined }],
    ['of another migration', { metadata: { labels: {} } }, {}],
    ['of another VMI', { metadata: { ownerReferences: [] } }, {}],
  ])('%s is not let go', async (_which, change, objects) => {
    const target = pod('target-01-created-unscheduled', { spec: gates, ...change });
    expect(await admitting(target, [port({ record: PINNED })], objects)).toBeUndefined();
  });
});

describe('a target pod without the gate', () => {
  const ungated = pod('target-01-created-unscheduled');

  test('is given identity and hint all the same', async () => {
    expect(await admitting(ungated, [port()])).toMatchObject({ pod: ungated, annotations: HINT });
  });

  test('that has both is left alone', async () => {
    const annotations = { ...HINT, 'ovn.kubernetes.io/ip_address': '10.16.0.9' };
    expect(
      await admitting(pod('target-01-created-unscheduled', { metadata: { annotations } }), [port()]),
    ).toBeUndefined();
  });

  test('that has the hint but not the identity is given both', async () => {
    const target = pod('target-01-created-unscheduled', { metadata: { annotations: HINT } });
    expect(await admitting(target, [port()])).toMatchObject({
      annotations: { 'ovn.kubernetes.io/ip_address': '10.16.0.9', ...HINT },
    });
  });

  test('of a VM without ports is left alone', async () => {
    expect(await admitting(ungated, [])).toBeUndefined();
  });

  test('whose hint is of fewer ports than the VM has is given a new one', async () => {
    const annotations = { ...HINT, 'ovn.kubernetes.io/ip_address': '10.16.0.9' };
    const target = pod('target-01-created-unscheduled', { metadata: { annotations } });
    const admitted = await admitting(target, [port(), second]);
    expect(JSON.parse(admitted!.annotations['ovn-handover.dev/ports']!).ports).toEqual([port().uuid, second.uuid]);
  });

  test('that the guest already runs in is left alone', async () => {
    expect(
      await admitting(pod('target-04-domain-ready'), [port({ record: DUAL })], { migrations: [vmim('06-running')] }),
    ).toBeUndefined();
  });
});
