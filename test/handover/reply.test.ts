import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { type Desired, desired, type Step } from '../../handover/decision/desired.ts';
import { remarksOf } from '../../handover/decision/events.ts';
import { factsOf } from '../../handover/decision/facts.ts';
import { changeFor, type Port } from '../../handover/decision/port.ts';
import { recordOf } from '../../handover/decision/record.ts';
import type { Outcome } from '../../handover/reconcile.ts';
import { replyOf } from '../../handover/reply.ts';
import { moment, VMI, VMI_UID, VMIM_UID } from './support/moments.ts';
import { DUAL, PINNED, port } from './support/ports.ts';

const validate = new Ajv().compile(
  JSON.parse(readFileSync(new URL('../../schemas/port-changed.schema.json', import.meta.url), 'utf8')),
);
const setup = {
  chassis: new Map([
    ['worker-a', 'chassis-1'],
    ['worker-b', 'chassis-2'],
  ]),
  activationStrategy: 'rarp',
  now: new Date(),
};

/** What a function came to at one moment. */
function outcome(objects: Parameters<typeof factsOf>[0], ...ports: Port[]): Outcome {
  const facts = factsOf(objects);
  const verdicts = ports.map((port) => ({ port, wanted: desired(facts, recordOf(port.externalIds)) }));
  const changes = verdicts.flatMap(({ port, wanted }) => changeFor(port, wanted, setup) ?? []);
  return {
    situation: { vmi: VMI, hint: undefined, facts, verdicts, readAt: 0 },
    changes,
    admitted: undefined,
    warnings: [],
  };
}

describe('the reply', () => {
  test.each<[Step, string, Port, Desired['binding'], string]>([
    ['reuse-port', 'VMIM created', port(), 'pinned', 'dev.ovn-handover.port.reused'],
    ['enable-dual-chassis', 'target pod scheduled', port({ record: PINNED }), 'dual', 'dev.ovn-handover.port.dual'],
    ['disable-dual-chassis', 'node moved', port({ record: DUAL }), 'pinned', 'dev.ovn-handover.port.pinned'],
  ])('of %s holds to its schema', (step, at, before, binding, type) => {
    const reply = replyOf(step, outcome(moment(at), before));
    expect(reply).toMatchObject({
      type,
      source: `/ovn-handover/${step}`,
      subject: '/apis/kubevirt.io/v1/namespaces/prod/virtualmachineinstances/web-01',
      data: { vmi: { ...VMI, uid: VMI_UID }, migration: VMIM_UID, ports: [{ name: before.name, binding }] },
    });
    expect(validate(reply?.data)).toBe(true);
    expect(reply?.validate()).toBe(true);
  });

  test.each<Step>(['release-port', 'reuse-port'])(
    'of a release by %s, of a VMI that is gone, holds to its schema',
    (step) => {
      const reply = replyOf(step, outcome({ vmi: undefined, migrations: [], pods: [] }, port({ record: DUAL })));
      expect(reply).toMatchObject({
        type: 'dev.ovn-handover.port.released',
        source: `/ovn-handover/${step}`,
        data: { vmi: VMI, ports: [{ binding: 'unbound' }] },
      });
      expect(validate(reply?.data)).toBe(true);
    },
  );

  test.each<[Step, string, Port, object]>([
    [
      'enable-dual-chassis',
      'target pod scheduled',
      port({ record: PINNED }),
      { requestedChassis: 'chassis-1,chassis-2', activationStrategy: 'rarp' },
    ],
    ['disable-dual-chassis', 'node moved', port({ record: DUAL }), { requestedChassis: 'chassis-2' }],
  ])('of %s tells which chassis, and what opens the port', (step, at, before, told) => {
    const { uuid, name } = before;
    const [changed] = replyOf(step, outcome(moment(at), before))!.data!.ports;
    expect(changed).toStrictEqual({ uuid, name, rule: expect.any(String), binding: expect.any(String), ...told });
  });

  test('is one also where the target pod was let go and no port changed', () => {
    const made = outcome(moment('target pod created'), port());
    const admitted = { pod: made.situation.facts.migration!.target!.pod, annotations: {}, remarks: [] };
    expect(replyOf('reuse-port', { ...made, changes: [], admitted })?.data).toMatchObject({
      admittedPod: 'virt-launcher-web-01-c4c8h',
      ports: [],
    });
  });

  test('names every port that was changed, and the pod that was let go', () => {
    const made = outcome(moment('target pod created'), port(), port({ uuid: '2', name: 'web-01.prod.tenant-a' }));
    const admitted = { pod: made.situation.facts.migration!.target!.pod, annotations: {}, remarks: [] };
    const reply = replyOf('reuse-port', { ...made, admitted });
    expect(reply?.data?.ports.map(({ name }) => name)).toEqual(['web-01.prod', 'web-01.prod.tenant-a']);
    expect(reply?.data?.admittedPod).toBe('virt-launcher-web-01-c4c8h');
    expect(validate(reply?.data)).toBe(true);
  });

  test('of reconcile about one VM is that of a sweep over one', () => {
    const reply = replyOf('reconcile', outcome(moment('VMIM created'), port()));
    expect(reply?.type).toBe('dev.ovn-handover.reconciled');
    expect(reply?.data).toMatchObject({
      looked: 1,
      changed: [{ vmi: VMI, ports: [{ binding: 'pinned' }] }],
      failed: [],
    });
  });

  test('is none where nothing was done', () => {
    expect(replyOf('reuse-port', { ...outcome(moment('VMIM created'), port()), changes: [] })).toBeUndefined();
  });
});

describe('the line on the VMI', () => {
  const lines = (at: string, before: Port) => {
    const { changes, situation } = outcome(moment(at), before);
    return changes.flatMap((change) => remarksOf(change, situation.facts));
  };

  test('tells the binding and the migration', () => {
    expect(lines('target pod scheduled', port({ record: PINNED }))).toEqual([
      {
        type: 'Normal',
        reason: 'PortDual',
        message:
          'Port web-01.prod: requested-chassis is chassis-1,chassis-2, opened by rarp, for migration kubevirt-migrate-vm-x7k2p (rule 3b).',
      },
    ]);
  });

  test('warns when the guest had switched before its port was dual', () => {
    expect(lines('node moved', port({ record: PINNED }))).toMatchObject([
      { reason: 'PortPinned' },
      { type: 'Warning', reason: 'PortNotDualInTime' },
    ]);
    expect(lines('node moved', port({ record: { ...DUAL, migration: 'another' } }))).toHaveLength(2);
    expect(lines('node moved', port({ record: DUAL }))).toHaveLength(1);
  });
});
