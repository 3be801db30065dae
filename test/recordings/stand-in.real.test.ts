/** The stand-in of KubeVirt writes what the real one wrote, in its order, but for what is said here with its reason. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { HOLD, PENDING_TIMEOUT } from '../../lab/kubevirt/labels.ts';
import type {
  VirtualMachineInstance as Vmi,
  VirtualMachineInstanceMigration as Vmim,
} from '../../lab/kubevirt/objects.ts';
import { RECORDED_PACE_MS, type Step } from '../../lab/kubevirt/pace.ts';
import { isVm, isVmi, Lab, type Write } from '../lab/kubevirt/lab.ts';
import { type Course, courseOf } from './course.ts';
import { differences, outdated } from './differences.ts';
import { KNOWN, UNTIL_THE_VMIM_WAS_GONE, WITHOUT_GATES } from './known-differences.ts';
import { migrationsIn, RECORDINGS, type RecordingName, recording } from './recording.ts';

let lab: Lab;
const played: Course[] = [];

beforeAll(async () => {
  lab = await Lab.start('rec', { paceMs: RECORDED_PACE_MS, guest: 'endpoint' });
  await lab.createVm();
}, 60_000);

afterAll(async () => {
  await lab?.stop();
}, 60_000);

/** Of all migrations in these recordings. */
function recorded(...names: RecordingName[]): readonly Course[] {
  return names.flatMap((name) => {
    const events = recording(name);
    return migrationsIn(events).map(({ metadata }) => courseOf(events, metadata.uid));
  });
}

const SUCCESSES = recorded(
  'success-bridge',
  'success-masquerade',
  'gated-then-success',
  'there-and-back-second-denied',
);

function seen({ metadata }: Vmim): Course {
  const course = courseOf(lab.writes, metadata.uid);
  played.push(course);
  return course;
}

const hold = (step: Step) => ({ [HOLD]: step });

/** Opens its gates. */
async function letThrough(vmim: Vmim): Promise<void> {
  await lab.untilPhase(vmim, 'Scheduling');
  await lab.openGate(await lab.targetOf(vmim));
}

async function sourceCompletes({ metadata }: Vmim): Promise<void> {
  const isDone = () =>
    courseOf(lab.writes, metadata.uid)
      .get('source pod')
      ?.some((words) => words.includes('status.phase=Succeeded'));
  await comes('the source pod completes', async () => isDone() === true);
}

async function comes(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await sleep(50)) if (await isSo()) return;
  throw new Error(`It did not come that ${what}.`);
}

describe('of migrations that succeed', () => {
  test.each(['there', 'back'])(
    'it writes what KubeVirt writes, in an order that KubeVirt had: %s',
    async () => {
      const from = lab.writes.length;
      const vmim = await lab.migrate();
      await letThrough(vmim);
      await lab.untilPhase(vmim, 'Succeeded');
      await sourceCompletes(vmim);
      await isReadyAgain(from);
      expect(differences(SUCCESSES, seen(vmim), KNOWN)).toEqual([]);
    },
    60_000,
  );

  test('the switch is reported in two updates of the VMI, and in one, as in the recordings', () => {
    const inOne = (course: Course) =>
      course
        .get('VMI')
        ?.some(
          (words) =>
            words.includes('status.migrationState.targetNodeDomainReadyTimestamp') &&
            words.includes('status.nodeName=target'),
        );
    expect(new Set(SUCCESSES.map(inOne))).toEqual(new Set([true, false]));
    expect(new Set(played.map(inOne))).toEqual(new Set([true, false]));
  });
});

test('a second VMIM is denied while one is in flight, and leaves no object behind', async () => {
  const vmim = await lab.migrate({ annotations: hold('turn') });
  await expect(lab.migrate()).rejects.toThrow('in-flight migration detected');
  await lab.cancel(vmim);
  await lab.untilGone(vmim);
}, 60_000);

describe('of migrations that do not go their way, it writes what KubeVirt writes, in its order:', () => {
  test('cancelled while its target is gated', async () => {
    const vmim = await lab.migrate();
    await lab.untilPhase(vmim, 'Scheduling');
    const { uid } = (await lab.targetOf(vmim)).metadata;
    await lab.until('the VMI tells of the target', ({ object }) => isVmi(object) && uid in activePods(object));
    await lab.cancel(vmim);
    await lab.untilGone(vmim);
    await forgets(uid);
    expect(differences(recorded('cancelled-while-gated'), seen(vmim), KNOWN)).toEqual([]);
  }, 60_000);

  test('given up because its target stays pending', async () => {
    const vmim = await lab.migrate({ annotations: { [PENDING_TIMEOUT]: '2' } });
    const { uid } = (await lab.targetOf(vmim)).metadata;
    await lab.untilPhase(vmim, 'Failed');
    await forgets(uid);
    await lab.until('it has no finalizer', ({ object }) => {
      return object.metadata.uid === vmim.metadata.uid && !object.metadata.finalizers?.length;
    });
    expect(differences(recorded('pending-timeout'), seen(vmim), KNOWN)).toEqual([]);
  }, 60_000);

  test('aborted while it copies', async () => {
    const vmim = await lab.migrate({ annotations: hold('copy') });
    await letThrough(vmim);
    await lab.until('the target is detected', ({ object }) => isDetected(object, vmim));
    await lab.cancel(vmim);
    await lab.untilGone(vmim);
    expect(differences(recorded('aborted-and-failed'), untilItWasGone(vmim), UNTIL_THE_VMIM_WAS_GONE)).toEqual([]);
  }, 60_000);

  test('aborted when the guest had switched, of which KubeVirt heard 8 s later', async () => {
    const from = lab.writes.length;
    const vmim = await lab.migrate({ annotations: hold('switchReported') });
    await letThrough(vmim);
    await hasSwitched(vmim);
    await lab.cancel(vmim);
    const isNotReady = ({ object }: Write) =>
      isVmi(object) && object.status?.conditions?.some(({ reason }) => reason === 'PodTerminating');
    await lab.until("the source's container has ended", isNotReady, from);
    await lab.go(vmim);
    await lab.untilGone(vmim);
    await sourceCompletes(vmim);
    await isReadyAgain(from);
    expect(differences(recorded('aborted-but-succeeded'), seen(vmim), WITHOUT_GATES, SUCCESSES)).toEqual([]);
  }, 60_000);
});

test('each known difference is one still', () => {
  expect(outdated(ALL, played, KNOWN)).toEqual([]);
});

const ALL = recorded(...RECORDINGS);

function activePods({ status }: Vmi): Record<string, string> {
  return status?.activePods ?? {};
}

async function forgets(uid: string): Promise<void> {
  let known = false;
  await lab.until('the VMI forgets the target', ({ object }) => {
    if (!isVmi(object)) return false;
    known ||= uid in activePods(object);
    return known && !(uid in activePods(object));
  });
}

function isDetected(object: Write['object'], { metadata }: Vmim): boolean {
  const state = isVmi(object) ? object.status?.migrationState : undefined;
  return state?.migrationUid === metadata.uid && state.targetNodeDomainDetected === true;
}

/** Its guest runs on the target, whoever has heard of it. */
async function hasSwitched({ metadata: { uid } }: Vmim): Promise<void> {
  await comes('the guest switches', async () => {
    return (await lab.log()).some(({ what, migration }) => what === 'switched' && migration === uid);
  });
}

/** What came after its end was recorded no more. */
function untilItWasGone(vmim: Vmim): Course {
  const end = lab.writes.findIndex(
    ({ type, object }) => type === 'DELETED' && object.metadata.uid === vmim.metadata.uid,
  );
  const course = courseOf(lab.writes.slice(0, end + 1), vmim.metadata.uid);
  played.push(course);
  return course;
}

async function isReadyAgain(from: number): Promise<void> {
  const isReady = ({ object }: Write) =>
    isVmi(object) && object.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
  const gone = lab.writes.findIndex(
    ({ object }, index) => index >= from && isVmi(object) && !isReady({ type: 'MODIFIED', object }),
  );
  await lab.until('the VMI is ready again', isReady, gone);
  const isVmReady = ({ object }: Write) => isVm(object) && object.status?.ready === true;
  const last = lab.writes.findLastIndex((write) => isVm(write.object) && !isVmReady(write));
  await lab.until('the VM is ready again', isVmReady, last);
}
