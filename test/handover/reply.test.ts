import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import type { FunctionName, Step } from '../../handover/decision/desired.ts';
import type { SchedulingGateRelease } from '../../handover/decision/gates.ts';
import { PORT_GATE } from '../../handover/decision/kubevirt.ts';
import { changeFor, type Port } from '../../handover/decision/port.ts';
import type { ReconcileResult } from '../../handover/reconcile.ts';
import { changedIn, replyOf, sweepReply } from '../../handover/reply.ts';
import { factsAt, moment, pod, VMI, VMI_UID, VMIM_UID } from '../../testkit/moments.ts';
import { observe } from './support/observed.ts';
import { ARMED, CHASSIS, DUAL, PINNED, port, SECOND, TO_SOURCE } from './support/ports.ts';

const ajv = new Ajv();
const [isPortChanged, isReconciled] = ['port-changed', 'reconciled'].map((name) => {
  const schema = JSON.parse(readFileSync(new URL(`../../schemas/${name}.schema.json`, import.meta.url), 'utf8'));
  return ajv.compile(schema);
}) as [ReturnType<Ajv['compile']>, ReturnType<Ajv['compile']>];
const setup = { chassis: CHASSIS, activationStrategy: 'rarp', activated: [], now: new Date() };
const GONE = { vmi: undefined, migrations: [], pods: [] };
const pinned = port({ options: TO_SOURCE, record: PINNED });
const dual = port({ options: ARMED, record: DUAL });
const target = pod('target-01-created-unscheduled');

/** What a call came to that made all that its ports needed at one moment. */
function result(objects: Parameters<typeof factsAt>[0], ...ports: Port[]): ReconcileResult {
  const facts = factsAt(objects);
  const changes = observe(facts, ports).ports.flatMap(({ port, wanted }) => changeFor(port, wanted, setup) ?? []);
  return { vmi: VMI, facts, changes, ungated: [] };
}
const ungated = (...pods: (typeof target)[]): readonly SchedulingGateRelease[] =>
  pods.map((pod) => ({ pod, gates: [PORT_GATE], annotations: {}, events: [] }));

describe('the reply', () => {
  test.each<[Step, string, Port, string, string]>([
    ['reuse-port', 'VMIM created', port(), 'pinned', 'dev.ovn-handover.port.reused'],
    ['enable-dual-chassis', 'target pod scheduled', pinned, 'dual', 'dev.ovn-handover.port.dual'],
    ['disable-dual-chassis', 'node moved', dual, 'pinned', 'dev.ovn-handover.port.pinned'],
  ])('of %s holds to its schema', (step, at, before, binding, type) => {
    const reply = replyOf(step, result(moment(at), before));
    expect(reply).toMatchObject({
      type,
      source: `/ovn-handover/${step}`,
      subject: '/apis/kubevirt.io/v1/namespaces/prod/virtualmachineinstances/web-01',
      datacontenttype: 'application/json',
      data: { vmi: { ...VMI, uid: VMI_UID }, migration: VMIM_UID, ports: [{ name: before.name, binding }] },
    });
    expect(isPortChanged(reply?.data)).toBe(true);
    expect(reply?.validate()).toBe(true);
  });

  test.each<Step>(['release-port', 'reuse-port'])(
    'of a release by %s, of a VMI that is gone, holds to its schema',
    (step) => {
      const reply = replyOf(step, result(GONE, dual));
      expect(reply).toMatchObject({ type: 'dev.ovn-handover.port.released', source: `/ovn-handover/${step}` });
      expect(reply?.data).toStrictEqual({
        vmi: VMI,
        ports: [{ name: dual.name, uuid: dual.uuid, rule: '2', binding: 'unbound' }],
      });
      expect(isPortChanged(reply?.data)).toBe(true);
    },
  );

  test.each<[Step, string, Port, object]>([
    [
      'enable-dual-chassis',
      'target pod scheduled',
      pinned,
      { binding: 'dual', rule: '3b', requestedChassis: 'chassis-1,chassis-2', activationStrategy: 'rarp' },
    ],
    ['disable-dual-chassis', 'node moved', dual, { binding: 'pinned', rule: '3a', requestedChassis: 'chassis-2' }],
  ])('of %s tells which chassis, and what opens the port', (step, at, before, told) => {
    const { uuid, name } = before;
    const [changed] = replyOf(step, result(moment(at), before))!.data!.ports;
    expect(changed).toStrictEqual({ uuid, name, ...told });
  });

  test('is one also where a pod was let go and no port changed', () => {
    const made = { ...result(moment('target pod created'), pinned), ungated: ungated(target) };
    expect(made.changes).toEqual([]);
    const reply = replyOf('reuse-port', made);
    expect(reply?.type).toBe('dev.ovn-handover.port.reused');
    expect(reply?.data).toStrictEqual({
      vmi: { ...VMI, uid: VMI_UID },
      migration: VMIM_UID,
      ungatedPods: [target.metadata.name],
      ports: [],
    });
    expect(isPortChanged(reply?.data)).toBe(true);
  });

  test('names every port that was changed, and every pod that was let go, once', () => {
    const other = pod('target-01-created-unscheduled', { metadata: { name: 'stray' } });
    const made = result(moment('target pod created'), port(), port(SECOND));
    const reply = replyOf('reuse-port', { ...made, ungated: ungated(target, other, target) });
    expect(reply?.data?.ports.map(({ name }) => name)).toEqual(['web-01.prod', SECOND.name]);
    expect(reply?.data?.ungatedPods).toEqual([target.metadata.name, 'stray']);
    expect(isPortChanged(reply?.data)).toBe(true);
  });

  test('of several changes in one call tells all, and is of the kind of the last', () => {
    const { changes } = result(moment('VMIM created'), port());
    const made = result(moment('target pod scheduled'), pinned);
    const reply = replyOf('release-port', { ...made, changes: [...changes, ...made.changes] });
    expect(reply?.type).toBe('dev.ovn-handover.port.dual');
    expect(reply?.data?.ports.map(({ binding }) => binding)).toEqual(['pinned', 'dual']);
  });

  test('of reconcile about one VM is that of a sweep over one', () => {
    const reply = replyOf('reconcile', result(moment('VMIM created'), port()));
    expect(reply).toMatchObject({
      type: 'dev.ovn-handover.reconciled',
      data: { looked: 1, changed: [{ vmi: VMI, ports: [{ binding: 'pinned' }] }], failed: [] },
    });
    expect(isReconciled(reply?.data)).toBe(true);
  });

  test.each<FunctionName>(['reuse-port', 'reconcile'])('of %s is none where nothing was done', (name) => {
    const nothing = result(moment('VMIM created'), pinned);
    expect(replyOf(name, nothing)).toBeUndefined();
    expect(changedIn(nothing)).toBeUndefined();
  });

  test('has no migration and no pods to name where there are none', () => {
    expect(Object.keys(changedIn(result(moment('succeeded'), dual))!)).toEqual(['vmi', 'ports']);
  });
});

test('a sweep is summed up in one event that holds to its schema', () => {
  const summary = { looked: 3, changed: [], failed: [{ ...VMI, why: 'no chassis' }] };
  const event = sweepReply(summary);
  expect(event).toMatchObject({
    type: 'dev.ovn-handover.reconciled',
    source: '/ovn-handover/reconcile',
    datacontenttype: 'application/json',
    data: summary,
  });
  expect(isReconciled(event.data)).toBe(true);
  expect(event.validate()).toBe(true);
});
