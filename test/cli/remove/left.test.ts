import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Left, nextStep, type OwnObject } from '../../../cli/remove/left.ts';

const VM = { namespace: 'prod', name: 'web-01' };
const object = (name: string, isEnding = false): OwnObject => ({
  kind: { apiVersion: 'v1', plural: 'things' },
  name,
  isEnding,
});
const NOTHING: Left = {
  gates: [],
  migrating: [],
  events: [],
  functions: [],
  functionPods: [],
  recorded: [],
  strays: [],
  annotated: [],
  clusterObjects: [],
  namespace: [],
};
const WHOLE: Left = {
  gates: [object('gate')],
  migrating: [VM],
  events: [object('broker')],
  functions: [object('reuse-port')],
  functionPods: ['reuse-port-0'],
  recorded: [VM],
  strays: ['vm7'],
  annotated: [{ ...object('virt-launcher'), annotations: ['ovn-handover.dev/ports'] }],
  clusterObjects: [object('ovn-handover-function')],
  namespace: [object('ovn-handover')],
};

const some = <T>(value: T) => fc.constantFrom<readonly T[]>([], [value]);
const anything: fc.Arbitrary<Left> = fc.record({
  gates: some(object('gate')),
  migrating: some(VM),
  events: some(object('broker')),
  functions: some(object('reuse-port')),
  functionPods: some('reuse-port-0'),
  recorded: fc.oneof(some(VM), fc.constant(undefined)),
  strays: some('vm7'),
  annotated: some(WHOLE.annotated[0]!),
  clusterObjects: some(object('ovn-handover-function')),
  namespace: some(object('ovn-handover')),
});

describe('remove', () => {
  test('does one thing after the other, gates first and settings last', () => {
    let left = WHOLE;
    const order: (keyof Left)[] = [
      ...(['gates', 'migrating', 'recorded', 'events', 'functions', 'functionPods', 'strays'] as const),
      ...(['annotated', 'clusterObjects', 'namespace'] as const),
    ];
    const done: string[] = [];
    for (const part of order) {
      done.push(`${nextStep(left)!.do} ${nextStep(left)!.what.slice(0, 49)}`);
      left = { ...left, [part]: [] };
    }
    expect(done).toEqual([
      'delete the scheduling gate',
      'sweep migrations to end: prod/web-01',
      'sweep ports to come to rest: prod/web-01',
      'delete sources, Triggers and Broker',
      'delete the functions',
      'wait the functions to end: reuse-port-0',
      "give up vm7: ports with our record that are no VM's by OV",
      'clear annotations annotations of 1 pods and VMIMs',
      'delete rights and policies',
      'delete the namespace with settings and certificates',
    ]);
    expect(nextStep(left)).toBeUndefined();
  });

  test('never deletes rights, settings or certificates while a port has our record, or a VM of ours migrates', () => {
    fc.assert(
      fc.property(anything, (left) => {
        const step = nextStep(left);
        const deletes = step?.do === 'delete' ? step.objects : [];
        const isLast = deletes.some((one) => left.clusterObjects.includes(one) || left.namespace.includes(one));
        const isAtRest = left.recorded === undefined || left.recorded.length + left.migrating.length === 0;
        if (isLast) expect(isAtRest && left.gates.length + left.functions.length === 0).toBe(true);
      }),
    );
  });

  test('always has a step as long as anything is left', () => {
    fc.assert(
      fc.property(anything, ({ migrating, ...left }) => {
        const isAnything = Object.values(left).some((part) => part !== undefined && part.length > 0);
        expect(nextStep({ ...left, migrating: [] }) !== undefined).toBe(isAnything);
        expect(migrating.length).toBeLessThan(2);
      }),
    );
  });

  test('waits for what is being deleted already, and does not delete it again', () => {
    expect(nextStep({ ...NOTHING, namespace: [object('ovn-handover', true)] })).toEqual({
      do: 'wait',
      what: 'the namespace with settings and certificates to be gone: ovn-handover',
    });
  });
});
