import { describe, expect, test } from '@jest/globals';
import { desired } from '../../../handover/decision/desired.ts';
import { identityDiffers, noPort, notClaimed, remarksOf } from '../../../handover/decision/events.ts';
import { changeFor, type Port } from '../../../handover/decision/port.ts';
import { recordOf } from '../../../handover/decision/record.ts';
import { factsAt, pod, vmi, vmim } from '../support/moments.ts';
import { DUAL, PINNED, port } from '../support/ports.ts';

const setup = {
  chassis: new Map([
    ['worker-a', 'chassis-1'],
    ['worker-b', 'chassis-2'],
  ]),
  activationStrategy: 'rarp',
  now: new Date('2026-08-20T10:00:02.345Z'),
};
const scheduled = factsAt({
  migrations: [vmim('02-scheduling')],
  pods: [pod('source-running'), pod('target-02-scheduled')],
});
const switched = factsAt({
  migrations: [vmim('06-running')],
  vmi: vmi('04-running'),
  pods: [pod('source-running'), pod('target-04-domain-ready')],
});

/** What is told of the change that `before` needs. */
function told(facts: typeof scheduled, before: Port) {
  const change = changeFor(before, desired(facts, recordOf(before.externalIds)), setup);
  return change ? remarksOf(change, facts) : [];
}

const released = { ...scheduled, vmi: undefined, migration: undefined };

describe('what kubectl describe vmi tells', () => {
  test('a release, with no migration to name, is one line', () => {
    expect(told(released, port({ record: DUAL }))).toEqual([
      {
        type: 'Normal',
        reason: 'PortReleased',
        message: 'Port web-01.prod: requested-chassis is nothing (rule 2).',
      },
    ]);
  });

  test('a pinned port has no strategy to name', () => {
    const [line] = told(switched, port({ record: DUAL }));
    expect(line?.message).toBe(
      'Port web-01.prod: requested-chassis is chassis-2, for migration kubevirt-migrate-vm-x7k2p (rule 3a).',
    );
  });

  test('a guest that switched while its port had no record of ours at all is a warning', () => {
    expect(told(switched, port()).map(({ reason }) => reason)).toEqual(['PortPinned', 'PortNotDualInTime']);
  });

  test('a target that has not claimed, no port, another identity: each is a warning that says what to look at', () => {
    expect([
      notClaimed('web-01.prod', 'worker-b', 'chassis-2', 'move'),
      noPort({ namespace: 'prod', name: 'web-01' }),
      identityDiffers(pod('target-02-scheduled'), 'ip: a, the source has b'),
    ]).toEqual([
      {
        type: 'Warning',
        reason: 'TargetNotClaimed',
        message:
          'Port web-01.prod is bound to worker-b too, but its chassis chassis-2 has not claimed it while migration move copies memory already: is the target plugged in, and ovn-controller running there?',
      },
      {
        type: 'Warning',
        reason: 'NoPort',
        message:
          'No logical switch port of prod/web-01 found in OVN northbound: the migration goes on without a hand-over. Check OVN_PROFILE and OVN_NB_REMOTE.',
      },
      {
        type: 'Warning',
        reason: 'IdentityDiffers',
        message:
          'Target pod virt-launcher-web-01-c4c8h has another network identity than the source: ip: a, the source has b.',
      },
    ]);
  });

  test('a change is one normal line that names port, chassis, strategy, migration and rule', () => {
    const lines = told(scheduled, port({ options: { 'requested-chassis': 'chassis-1' }, record: PINNED }));
    expect(lines).toEqual([
      {
        type: 'Normal',
        reason: 'PortDual',
        message:
          'Port web-01.prod: requested-chassis is chassis-1,chassis-2, opened by rarp, for migration kubevirt-migrate-vm-x7k2p (rule 3b).',
      },
    ]);
  });

  test('a guest that switched before its port was dual is a warning: its traffic was out', () => {
    const lines = told(switched, port({ options: { 'requested-chassis': 'chassis-1' }, record: PINNED }));
    expect(lines.map(({ type, reason }) => `${type} ${reason}`)).toEqual([
      'Normal PortPinned',
      'Warning PortNotDualInTime',
    ]);
    expect(lines[1]?.message).toContain('switched to worker-b');
  });

  test('a port that is pinned while the guest runs where it was is none', () => {
    const pending = factsAt({ migrations: [vmim('01-pending')] });
    expect(told(pending, port()).map(({ reason }) => reason)).toEqual(['PortPinned']);
    expect(told(factsAt({}), port({ record: PINNED })).map(({ reason }) => reason)).toEqual(['PortPinned']);
  });

  test('a guest that switched in time is none', () => {
    const options = { 'requested-chassis': 'chassis-1,chassis-2', 'activation-strategy': 'rarp' };
    expect(told(switched, port({ options, record: DUAL })).map(({ type }) => type)).toEqual(['Normal']);
  });

  test('a binding that somebody else changed under our record is a warning that shows what was there', () => {
    const lines = told(scheduled, port({ options: { 'requested-chassis': 'chassis-9' }, record: DUAL }));
    expect(lines[1]).toMatchObject({ type: 'Warning', reason: 'PortOverwritten' });
    expect(lines[1]?.message).toContain('had "chassis-9" for requested-chassis and nothing for activation-strategy');
  });
});
