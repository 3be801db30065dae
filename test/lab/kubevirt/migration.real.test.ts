import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  isFinal,
  type VirtualMachineInstance as Vmi,
  type VirtualMachineInstanceMigration as Vmim,
} from '../../../lab/kubevirt/objects.ts';
import { isPod, isTargetOf, isVmi, isVmim, Lab, type Write } from './lab.ts';

const PACE_MS = 800;

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.start('kv', { paceMs: PACE_MS });
  await lab.createVm();
}, 60_000);

afterAll(async () => {
  await lab?.stop();
}, 60_000);

/** Opens the gate and waits for the end. */
async function letThrough(vmim: Vmim): Promise<void> {
  await lab.untilPhase(vmim, 'Scheduling');
  await lab.openGate(await lab.targetOf(vmim));
  await lab.untilPhase(vmim, 'Succeeded');
}

/** The node where the guest runs; a migration has to end before the next begins. */
async function node(): Promise<string | undefined> {
  return (await lab.vmi()).status?.nodeName;
}

/** Uids of the VMIMs that there are. */
function vmims(): string[] {
  const all = lab.writes.filter(({ object }) => isVmim(object));
  const gone = new Set(all.filter(({ type }) => type === 'DELETED').map(({ object }) => object.metadata.uid));
  return [...new Set(all.map(({ object }) => object.metadata.uid))].filter((uid) => !gone.has(uid));
}

test("the first pod is told its network identity as Kube-OVN's controller does", async () => {
  const [pod] = await lab.pods();
  const [{ ip, mac, logicalSwitch }] = lab.testbed.vms[0].interfaces;
  expect(pod?.metadata.annotations).toMatchObject({
    'ovn.kubernetes.io/allocated': 'true',
    'ovn.kubernetes.io/ip_address': ip,
    'ovn.kubernetes.io/mac_address': mac,
    'ovn.kubernetes.io/logical_switch': logicalSwitch,
    'ovn.kubernetes.io/virtualmachine': 'web-01',
  });
  expect(lab.guestAnswers()).toBe(true);
});

test('a first migration moves the guest', async () => {
  const vmim = await lab.migrate();
  await letThrough(vmim);
  expect(await node()).toBe('node2');
}, 60_000);

test('the way back: the VMI still tells of the last migration, and the new target is labelled with the source', async () => {
  const from = lab.writes.length;
  const before = (await lab.vmi()).status?.migrationState;
  const vmim = await lab.migrate({ targetNode: 'node1' });
  const target = await lab.targetOf(vmim);
  expect((await lab.vmi()).status?.migrationState).toEqual(before);
  expect(target.metadata.labels).toHaveProperty(['kubevirt.io/nodeName'], 'node2');
  await letThrough(vmim);
  expect(await node()).toBe('node1');
  const states = lab.writes.slice(from).flatMap(({ object }) => (isVmi(object) ? [object.status?.migrationState] : []));
  const handedOff = states.findIndex((state) => state?.migrationUid === vmim.metadata.uid);
  expect(states.slice(0, handedOff).every((state) => state?.migrationUid === before?.migrationUid)).toBe(true);
  expect(states[handedOff]).not.toHaveProperty('completed');
}, 60_000);

test("the log has each moment with its time, and QEMU's own figures", async () => {
  const lines = (await lab.log()).filter(({ what }) => ['copying', 'switched', 'copied', 'node-moved'].includes(what));
  expect(lines.slice(0, 4).map(({ what }) => what)).toEqual(['copying', 'switched', 'copied', 'node-moved']);
  expect(lines[2]).toMatchObject({
    from: 'node1',
    to: 'node2',
    guestBlackoutMs: expect.any(Number),
    totalMs: expect.any(Number),
  });
  expect(lines.every(({ at, migration }) => !Number.isNaN(Date.parse(at)) && typeof migration === 'string')).toBe(true);
});

test('a gated target waits without a node and without a plug; cancelled, it leaves no trace in the VMI', async () => {
  const vmim = await lab.migrate();
  const target = await lab.targetOf(vmim);
  await lab.untilPhase(vmim, 'Scheduling');
  const before = await lab.vmi();
  await new Promise((resolve) => setTimeout(resolve, 2 * PACE_MS));
  const [waiting] = (await lab.pods()).filter(({ metadata }) => metadata.name === target.metadata.name);
  expect(waiting?.spec.nodeName).toBeUndefined();
  expect(waiting?.status?.conditions).toMatchObject([
    { type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' },
  ]);
  const plugs = (await lab.log()).filter(
    ({ what, migration }) => what === 'plugged' && migration === vmim.metadata.uid,
  );
  expect(plugs).toEqual([]);

  await lab.cancel(vmim);
  const failed = await lab.untilPhase(vmim, 'Failed');
  await lab.untilGone(vmim);
  await lab.untilGone(target);
  expect(failed.status?.conditions).toMatchObject([{ type: 'migrationAbortRequested', status: 'True' }]);
  const isForgotten = (vmi: Vmi) => !(target.metadata.uid in (vmi.status?.activePods ?? {}));
  await lab.until('the VMI forgets it', ({ object }) => isVmi(object) && isForgotten(object), lab.writes.length - 5);
  const { activePods: _, ...status } = (await lab.vmi()).status ?? {};
  expect(before.status).toMatchObject(status);
}, 60_000);

test.each([
  ['gated', 'kubevirt.io/migrationPendingPodTimeoutSeconds', {}],
  ['unschedulable', 'kubevirt.io/migrationUnschedulablePodTimeoutSeconds', { targetNode: 'node1' }],
])(
  'a target that stays %s too long is removed and its migration fails',
  async (why, timeout, place) => {
    const vmim = await lab.migrate({ ...place, annotations: { [timeout]: '2' } });
    const target = await lab.targetOf(vmim);
    if (why === 'unschedulable') await lab.openGate(target);
    const failed = await lab.untilPhase(vmim, 'Failed');
    await lab.untilGone(target);
    expect(Object.keys(failed.status?.migrationState ?? {})).toEqual(['sourcePod']);
    expect(await node()).toBe('node1');
  },
  60_000,
);

test('a migration cancelled while it copies ends on the source', async () => {
  const vmim = await lab.migrate();
  await lab.openGate(await lab.targetOf(vmim));
  await lab.untilPhase(vmim, 'Running');
  await lab.cancel(vmim);
  await lab.untilPhase(vmim, 'Failed');
  await lab.untilGone(vmim);
  const { status } = await lab.vmi();
  const aborted = { failed: true, completed: true, abortRequested: true, abortStatus: 'Succeeded' };
  expect(status).toMatchObject({ nodeName: 'node1', migrationState: { migrationUid: vmim.metadata.uid, ...aborted } });
  // Succeeded or Failed: its QEMU may see the source go before it is told to end.
  await lab.until('the target ends', ({ object }) => isTargetOf(object, vmim.metadata.uid) && isFinal(object));
  expect(lab.guestAnswers()).toBe(true);
}, 60_000);

test('a target that dies before the switch leaves the guest on the source', async () => {
  const vmim = await lab.migrate();
  const target = await lab.targetOf(vmim);
  await lab.openGate(target);
  await lab.untilPhase(vmim, 'PreparingTarget');
  await lab.deletePod(target);
  await lab.untilPhase(vmim, 'Failed');
  await lab.untilGone(target);
  expect((await lab.vmi()).status).toMatchObject({
    nodeName: 'node1',
    migrationState: { failed: true, completed: true },
  });
  expect(lab.guestAnswers()).toBe(true);
}, 60_000);

test('a migration that is cancelled after the switch succeeds, and a second one meanwhile is denied', async () => {
  const vmim = await lab.migrate();
  await lab.openGate(await lab.targetOf(vmim));
  await lab.untilPhase(vmim, 'Running');
  await expect(lab.migrate()).rejects.toThrow('in-flight migration detected');
  const key = 'kubevirt.io/migration-target-ready-timestamp';
  const isReady = (pod: object) => key in ((pod as { metadata: { annotations?: object } }).metadata.annotations ?? {});
  await lab.until('the guest has switched', ({ object }) => isTargetOf(object, vmim.metadata.uid) && isReady(object));
  await lab.cancel(vmim);
  await lab.untilPhase(vmim, 'Succeeded');
  await lab.untilGone(vmim);
  expect(await node()).toBe('node2');
}, 60_000);

test('of the VMIMs that have ended five are kept', async () => {
  await letThrough(await lab.migrate());
  const [oldest] = lab.writes.filter(({ object }) => isVmim(object));
  await lab.untilGone(oldest!.object);
  expect(vmims()).toHaveLength(5);
}, 60_000);

test('a guest that dies fails its VMI, and the VM gets a new one', async () => {
  const { metadata } = await lab.vmi();
  for (const pid of lab.qemus()) process.kill(pid, 'SIGKILL');
  await lab.until(
    'the VMI fails',
    ({ object }) => isVmi(object) && object.metadata.uid === metadata.uid && object.status?.phase === 'Failed',
  );
  const isNew = ({ object }: Write) => isVmi(object) && object.metadata.uid !== metadata.uid && object;
  const next = await lab.until('there is a new VMI', isNew);
  await lab.until(
    'its guest runs',
    ({ object }) => isVmi(object) && object.metadata.uid === next.metadata.uid && object.status?.phase === 'Running',
  );
}, 60_000);

test('a deleted VM takes its guest, pods, migrations and plugs with it', async () => {
  const vmi = await lab.vmi();
  await lab.deleteVm();
  await lab.untilGone(vmi);
  const phases = lab.writes.flatMap(({ object }) => (isVmi(object) ? [object.status?.phase] : []));
  expect(phases.at(-1)).toBe('Succeeded');
  await lab.until('all VMIMs are gone', () => vmims().length === 0);
  expect(await lab.pods()).toEqual([]);
  expect([lab.qemus(), lab.taps()]).toEqual([[], []]);
}, 60_000);

test('with hotplug volumes the target has its node and its plug while the phase is still Pending', async () => {
  await lab.createVm({ 'lab.ovn-handover.dev/hotplug': 'true' });
  const vmim = await lab.migrate();
  await lab.untilPhase(vmim, 'Succeeded');
  const { uid } = vmim.metadata;
  const index = (matches: (write: (typeof lab.writes)[number]) => boolean) => lab.writes.findIndex(matches);
  const bound = index(({ object }) => isTargetOf(object, uid) && object.spec.nodeName !== undefined);
  const attached = index(
    ({ object }) =>
      isPod(object) && object.metadata.name.startsWith('hp-volume-') && object.status?.phase === 'Running',
  );
  const scheduling = index(
    ({ object }) => isVmim(object) && object.metadata.uid === uid && object.status?.phase === 'Scheduling',
  );
  expect([bound, attached, scheduling].every((at) => at >= 0)).toBe(true);
  expect(bound).toBeLessThan(attached);
  expect(attached).toBeLessThan(scheduling);
  const attachment = lab.writes[attached]?.object;
  expect(attachment?.metadata.labels).toEqual({ 'kubevirt.io': 'hotplug-disk', 'kubevirt.io/migrationJobUID': uid });
  expect((await lab.vmi()).status?.migrationState).toHaveProperty('targetAttachmentPodUID', attachment?.metadata.uid);
}, 60_000);

test('SIGTERM ends the stand-in with its guests and their plugs', async () => {
  expect(lab.qemus()).not.toEqual([]);
  expect(await lab.stopKubeVirt()).toBe(0);
  expect([lab.qemus(), lab.taps()]).toEqual([[], []]);
}, 60_000);
