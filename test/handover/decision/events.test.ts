import { describe, expect, test } from '@jest/globals';
import { desired } from '../../../handover/decision/desired.ts';
import {
  ACTIONS,
  cannotBeHeld,
  eventsOf,
  heldFor,
  identityDiffers,
  noChassis,
  noPort,
  notClaimed,
  notHandedOver,
  sideEffectsOf,
  targetOnSourceNode,
} from '../../../handover/decision/events.ts';
import type { Facts } from '../../../handover/decision/facts.ts';
import { changeFor, type Port } from '../../../handover/decision/port.ts';
import { recordOf } from '../../../handover/decision/record.ts';
import { factsAt, moment, pod, VMI } from '../../../testkit/moments.ts';
import { ARMED, CHASSIS, DUAL, PINNED, port, TO_BOTH, TO_SOURCE, TO_TARGET } from '../support/ports.ts';

const setup = {
  chassis: CHASSIS,
  activationStrategy: 'rarp',
  activated: [],
  now: new Date('2026-08-20T10:00:02.345Z'),
};
const scheduled = factsAt(moment('target pod scheduled'));
const copying = factsAt(moment('memory is copied'));
const switched = factsAt(moment('target pod annotated'));
const moved = factsAt(moment('node moved'));
const ended = factsAt(moment('succeeded'));
const gone = factsAt({ vmi: undefined });
const target = pod('target-02-scheduled');

/** The events of the change that a port needs. */
function events(facts: Facts, before: Port) {
  const change = changeFor(before, desired(facts, recordOf(before.options)), setup);
  if (change === undefined) throw new Error('the port has that already');
  return eventsOf(change, facts);
}
const reasons = (facts: Facts, before: Port) => events(facts, before).map(({ reason }) => reason);

describe('a change', () => {
  test('is one normal line that names port, chassis, strategy, migration and rule', () => {
    expect(events(scheduled, port({ options: TO_SOURCE, record: PINNED }))).toEqual([
      {
        type: 'Normal',
        reason: 'PortDual',
        message:
          'Port web-01.prod: requested-chassis is chassis-1,chassis-2, opened by rarp, for migration kubevirt-migrate-vm-x7k2p (rule 3b).',
      },
    ]);
  });

  test('to a pinned port has no strategy to name', () => {
    expect(events(switched, port({ options: ARMED, record: DUAL }))).toEqual([
      {
        type: 'Normal',
        reason: 'PortPinned',
        message: 'Port web-01.prod: requested-chassis is chassis-2, for migration kubevirt-migrate-vm-x7k2p (rule 3a).',
      },
    ]);
  });

  test('that releases a port has no migration to name', () => {
    expect(events(gone, port({ options: ARMED, record: DUAL }))).toEqual([
      {
        type: 'Normal',
        reason: 'PortReleased',
        message: 'Port web-01.prod: requested-chassis is nothing (rule 2).',
      },
    ]);
  });
});

describe('a guest that switched before its port was dual', () => {
  test.each([
    ['had no record and no binding', port()],
    ['was pinned to the source for this migration', port({ options: TO_SOURCE, record: PINNED })],
    ['was pinned to the source without a record', port({ options: TO_SOURCE })],
    ['was pinned for this migration, and then stripped', port({ record: PINNED })],
    [
      'was dual for another migration',
      port({ options: { 'requested-chassis': 'chassis-1,chassis-3' }, record: { ...DUAL, migration: 'another' } }),
    ],
  ])('is a warning: its traffic was out, for its port %s', (_how, before) => {
    const [line, warning, ...more] = events(switched, before);
    expect(line?.reason).toBe('PortPinned');
    expect(warning).toEqual({
      type: 'Warning',
      reason: 'PortNotDualInTime',
      message:
        'Port web-01.prod was not bound to both chassis when the guest switched to worker-b: its traffic was out until now. Were the functions reached in time, or had they warned that it cannot be held?',
    });
    expect(more).toEqual([]);
  });

  test.each([
    ['was dual and closed', port({ options: ARMED, record: DUAL })],
    ['was dual and open', port({ options: TO_BOTH, record: DUAL })],
    ['was dual and lost its record', port({ options: ARMED })],
    [
      'was dual and lost its record to that of another migration',
      port({ options: ARMED, record: { ...DUAL, migration: 'another' } }),
    ],
    ['was dual for this migration, and then stripped', port({ record: DUAL })],
    ['was pinned to the target already, and lost its record', port({ options: TO_TARGET })],
    ['was pinned to the target already, and then stripped', port({ record: { ...PINNED, target: 'worker-b' } })],
  ])('is none where the port %s', (_how, before) => {
    for (const facts of [switched, moved]) expect(reasons(facts, before)).not.toContain('PortNotDualInTime');
  });

  test('is none while the guest runs where it was, nor after the migration', () => {
    const pending = factsAt(moment('VMIM created'));
    expect(reasons(pending, port())).toEqual(['PortPinned']);
    expect(reasons(ended, port({ options: TO_SOURCE, record: PINNED }))).toEqual(['PortPinned']);
  });

  test('is none where the target is on the source’s own node: the guest has not switched', () => {
    const beside = pod('target-02-scheduled', { spec: { nodeName: 'worker-a' } });
    const facts = factsAt({ ...moment('target pod scheduled'), pods: [pod('source-running'), beside] });
    expect(reasons(facts, port())).toEqual(['PortPinned']);
  });
});

describe('a binding that somebody else changed under our record', () => {
  test('is a warning that shows what was there', () => {
    const before = port({ options: { 'requested-chassis': 'chassis-9' }, record: DUAL });
    expect(events(scheduled, before)).toEqual([
      expect.objectContaining({ type: 'Normal', reason: 'PortDual' }),
      {
        type: 'Warning',
        reason: 'PortOverwritten',
        message:
          'Port web-01.prod had "chassis-9" for requested-chassis and nothing for activation-strategy, which is not what was written for this migration: another controller writes them too. Kube-OVN does when a launcher pod of the VM is deleted; it was put back.',
      },
    ]);
  });

  test.each([
    ['a dual port is stripped before memory is copied', scheduled, port({ record: DUAL })],
    ['a dual port is stripped while memory is copied', copying, port({ record: DUAL })],
    ['a pinned port is stripped', factsAt(moment('VMIM created')), port({ record: PINNED })],
  ])('is told where %s', (_how, facts, before) => {
    expect(reasons(facts, before)[1]).toBe('PortOverwritten');
  });

  test('is not taken for one where the record is another, or the port is released', () => {
    expect(reasons(scheduled, port({ options: TO_SOURCE, record: PINNED }))).toEqual(['PortDual']);
    expect(reasons(scheduled, port({ options: ARMED }))).toEqual(['PortDual']);
    expect(reasons(gone, port({ record: DUAL }))).toEqual(['PortReleased']);
    expect(reasons(gone, port({ options: { 'handover-since': 'then' }, record: PINNED }))).toEqual(['PortReleased']);
  });
});

describe('the side effects of a dual binding', () => {
  const none = { port: 'web-01.prod', isOnLocalnet: false, virtualPorts: [] };

  test('are no event where there are none', () => {
    expect(sideEffectsOf(none)).toEqual([]);
  });

  test('are warned of, each with the port and what it is about', () => {
    expect(sideEffectsOf({ ...none, isOnLocalnet: true, virtualPorts: ['vip-1', 'vip-2'] })).toEqual([
      {
        type: 'Warning',
        reason: 'DualOnLocalnet',
        message: expect.stringMatching(/^Port web-01\.prod is on a localnet network: .* of full size pass only where /),
      },
      {
        type: 'Warning',
        reason: 'VirtualPortContested',
        message: expect.stringMatching(/^Port web-01\.prod is a parent of vip-1, vip-2: /),
      },
    ]);
  });
});

test('each warning says what is wrong and what to look at', () => {
  expect([
    notClaimed('web-01.prod', 'worker-b', 'chassis-2', 'move'),
    noPort(VMI),
    identityDiffers(target, 'ip: a, the source has b'),
    cannotBeHeld('web-01.prod', 'worker-b', 'garp', 'it knows only rarp'),
    heldFor(target, ['ovn-handover.dev/port', 'ovn-handover.dev/dual'], 30),
    heldFor(target, ['ovn-handover.dev/dual'], 30),
    targetOnSourceNode(target, 'worker-a'),
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
    {
      type: 'Warning',
      reason: 'PortCannotBeHeld',
      message:
        "Port web-01.prod stays bound to the source alone until the guest has switched: on worker-b it cannot be held by garp, for it knows only rarp. Check OVN_ACTIVATION_STRATEGY, the port's addresses, and OVN's version there.",
    },
    {
      type: 'Warning',
      reason: 'TargetGated',
      message:
        "Target pod virt-launcher-web-01-c4c8h was held by ovn-handover.dev/port and ovn-handover.dev/dual for more than 30 s: its migration waits for the functions. Are they reached, and OVN's databases by them?",
    },
    {
      type: 'Warning',
      reason: 'TargetGated',
      message:
        "Target pod virt-launcher-web-01-c4c8h was held by ovn-handover.dev/dual for more than 30 s: its migration waits for the functions. Are they reached, and OVN's databases by them?",
    },
    {
      type: 'Warning',
      reason: 'TargetOnSourceNode',
      message:
        'Target pod virt-launcher-web-01-c4c8h is on worker-a, where the guest runs already: KubeVirt will fail the migration, and the port stays bound to that node.',
    },
  ]);
});

test('a pod that is let go without a hand-over is a normal line that says why', () => {
  expect(notHandedOver(target, 'its migration has ended')).toEqual({
    type: 'Normal',
    reason: 'NotHandedOver',
    message: 'Pod virt-launcher-web-01-c4c8h goes to the scheduler without a hand-over: its migration has ended.',
  });
});

test('a node without its one chassis is a warning that tells none from several', () => {
  const said = (what: string) =>
    `OVN southbound lists ${what} with hostname or name worker-b, expected one: is its ovn-controller running, and no stale chassis left?`;
  expect([noChassis('worker-b', []), noChassis('worker-b', ['new', 'chassis-2'])]).toEqual([
    { type: 'Warning', reason: 'ChassisUnknown', message: said('no chassis') },
    { type: 'Warning', reason: 'ChassisAmbiguous', message: said('2 chassis (chassis-2, new)') },
  ]);
});

test('each reason has an action, by which whoever filters events finds them', () => {
  for (const action of Object.values(ACTIONS)) expect(action).toMatch(/^([A-Z][a-z]+)+$/);
});
