import { describe, expect, test } from '@jest/globals';
import { CLAIM_MS, claimOf } from '../../../handover/decision/claim.ts';
import { plan } from '../../../handover/decision/plan.ts';
import type { Port } from '../../../handover/decision/port.ts';
import { profileOf } from '../../../handover/decision/profile.ts';
import { recordEntries } from '../../../handover/decision/record.ts';
import type { PortBinding } from '../../../handover/decision/southbound.ts';
import { factsAt, moment, NOW } from '../../../testkit/moments.ts';
import { observe } from '../support/observed.ts';
import { ARMED, DUAL, PINNED, port, SECOND, SINCE, TO_SOURCE, TO_TARGET } from '../support/ports.ts';

const HANDED_OVER = { ...DUAL, binding: 'pinned' } as const;
const handedOver = port({ options: TO_TARGET, record: HANDED_OVER });
const target = 'uuid of chassis-2';
/** What ovn-controller 23.03.1 was seen to leave: the source has let go, and the target has not looked. */
const missed = { chassis: undefined, additionalChassis: [target] };
const claimed = { chassis: target, additionalChassis: [] };

describe('the claim of a port that is bound to one chassis', () => {
  const binding: PortBinding = {
    uuid: 'uuid',
    port: handedOver.name,
    datapath: 'network',
    addresses: [],
    activated: [],
    since: SINCE.toISOString(),
    ...claimed,
  };
  const letGo = { chassis: 'uuid of chassis-1', additionalChassis: [target] };
  const at = (ms: number, row: Partial<PortBinding> = {}, one: Port = handedOver) =>
    claimOf(one, { ...binding, ...row }, SINCE.getTime() + ms);

  test('is settled where no other one holds it, however young the binding is', () => {
    expect([at(0), at(CLAIM_MS), at(3_600_000)]).toEqual(['settled', 'settled', 'settled']);
    expect(at(CLAIM_MS, { chassis: undefined })).toBe('settled');
  });

  test('is awaited for a second, whatever the southbound database says meanwhile, or where it was not asked', () => {
    expect([at(0, letGo), at(CLAIM_MS - 1, missed), at(-60_000, missed)]).toEqual(['awaited', 'awaited', 'awaited']);
    expect(claimOf(handedOver, undefined, SINCE.getTime() + CLAIM_MS - 1)).toBe('awaited');
    expect(claimOf(handedOver, undefined, SINCE.getTime() + CLAIM_MS)).toBe('settled');
  });

  test.each<[string, Partial<PortBinding>]>([
    ['northd has not come to it: the row is of an earlier binding', { ...missed, since: '2026-08-20T10:00:00.000Z' }],
    ['northd has not come to a first one', { ...missed, since: undefined }],
    ['the source has not let it go', letGo],
  ])('is awaited for ten seconds while %s', (_why, row) => {
    expect([at(CLAIM_MS, row), at(9_999, row), at(10_000, row)]).toEqual(['awaited', 'awaited', 'settled']);
  });

  test('was missed where it holds the port beside a main chassis that there no longer is', () => {
    expect([at(CLAIM_MS, missed), at(3_600_000, missed)]).toEqual(['missed', 'missed']);
    expect(at(CLAIM_MS, missed, port({ options: TO_SOURCE, record: PINNED }))).toBe('missed');
  });

  test.each<[string, Port]>([
    ['bound to both chassis', port({ options: ARMED, record: DUAL })],
    ['bound to both chassis by somebody else', port({ options: ARMED, record: HANDED_OVER })],
    ['bound to one by somebody else', port({ options: TO_TARGET, record: DUAL })],
    ['whose binding somebody has taken off', port({ record: HANDED_OVER })],
    ['without a record of ours', port({ options: TO_TARGET })],
  ])('is none of a port %s', (_how, one) => {
    expect(at(0, missed, one)).toBe('settled');
    expect(at(CLAIM_MS, missed, one)).toBe('settled');
  });
});

describe('a look that finds the claim', () => {
  const setup = {
    profile: profileOf('kube-ovn', ''),
    activationStrategy: 'rarp',
    now: NOW,
    call: { elapsedMs: 0, hasLetGo: false, repeated: 0, isPodDeletion: false },
  };
  const young = port({ options: TO_TARGET, record: HANDED_OVER });
  const youngOptions = { ...young.options, ...recordEntries(HANDED_OVER, new Date(NOW - 100)) };
  const at = (when: string, ports: readonly Port[], binding: Partial<PortBinding>, later = 0) =>
    observe(factsAt(moment(when), NOW + later), ports, { binding });
  const look = (observed: ReturnType<typeof observe>, { repeated = 0, later = 0 } = {}) =>
    plan(
      'reconcile',
      { ...observed, readAt: NOW + later },
      {
        ...setup,
        now: NOW + later,
        call: { ...setup.call, repeated },
      },
    );

  test('missed writes the same binding once more, so that the chassis looks again, and looks whether it did', () => {
    const { changes, requeue } = look(at('succeeded', [handedOver], missed));
    expect(changes).toMatchObject([
      {
        port: handedOver,
        wanted: { binding: 'pinned', node: 'worker-b', record: HANDED_OVER },
        options: { ...TO_TARGET, ...recordEntries(HANDED_OVER, new Date(NOW)) },
        isInterim: false,
      },
    ]);
    expect(requeue).toEqual({
      by: 'function',
      afterMs: CLAIM_MS,
      why: 'the chassis may not have claimed yet what it was handed over',
    });
  });

  test('missed on one of two ports writes that one alone', () => {
    const second = port({ ...SECOND, options: TO_TARGET, record: HANDED_OVER });
    const observed = at('succeeded', [handedOver, second], claimed);
    const bindings = new Map(observed.southbound.bindings);
    bindings.set(second.name, { ...bindings.get(second.name)!, ...missed });
    const { changes } = look({ ...observed, southbound: { ...observed.southbound, bindings } });
    expect(changes.map(({ port }) => port.name)).toEqual([SECOND.name]);
  });

  test('settled leaves all as it is', () => {
    expect(look(at('succeeded', [handedOver], claimed))).toMatchObject({ changes: [], requeue: undefined });
  });

  test('awaited waits, and does not write', () => {
    const one = { ...young, options: youngOptions };
    const { changes, requeue } = look(at('succeeded', [one], missed));
    expect(changes).toEqual([]);
    expect(requeue).toMatchObject({ by: 'function', afterMs: CLAIM_MS });
  });

  test('not settled does not take the binding off the guest, though no other pod is left', () => {
    const later = 3_600_000;
    const release = (binding: Partial<PortBinding>) =>
      look(at('succeeded', [handedOver], binding, later), { later }).changes.map(({ wanted }) => wanted.binding);
    expect(release(claimed)).toEqual(['unbound']);
    expect(release(missed)).toEqual(['pinned']);
  });

  test.each<[string, Partial<PortBinding>]>([
    ['northd hangs', { ...missed, since: 'another' }],
    ['the chassis of a target that failed is dead', { chassis: 'uuid of chassis-1', additionalChassis: [target] }],
  ])('awaited for more than ten seconds, for %s, holds nothing up', (_why, binding) => {
    const later = 3_600_000;
    const { changes, requeue } = look(at('succeeded', [handedOver], binding, later), { later });
    expect(changes.map(({ wanted }) => wanted.binding)).toEqual(['unbound']);
    expect(requeue).toBeUndefined();
  });

  test('of an earlier guest does not keep the port from the one that runs now under its name', () => {
    const earlier = port({ options: TO_TARGET, record: { ...HANDED_OVER, vmi: 'an earlier one' } });
    for (const binding of [missed, { chassis: 'uuid of chassis-1', additionalChassis: [target] }]) {
      const { changes } = look(observe(factsAt(moment('succeeded')), [earlier], { binding }));
      expect(changes.map(({ wanted }) => wanted.binding)).toEqual(['unbound']);
    }
  });

  test('missed after five times in one call leaves the rest to the next event or sweep', () => {
    const observed = at('succeeded', [handedOver], missed);
    expect(look(observed, { repeated: 4 }).changes).toHaveLength(1);
    expect(look(observed, { repeated: 5 })).toMatchObject({ changes: [], requeue: undefined });
  });

  test('missed by a VM that is gone has its port released: there is no guest to reach', () => {
    const gone = observe(factsAt({ vmi: undefined }), [handedOver], { binding: missed });
    expect(look(gone).changes.map(({ wanted }) => wanted.binding)).toEqual(['unbound']);
  });
});
