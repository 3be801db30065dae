import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MalformedEventError } from 'knative-eventing-ts-sdk';
import { originOf, requestFrom } from '../../handover/request.ts';
import { object, VMI } from '../../testkit/moments.ts';

/** What an ApiServerSource in Resource mode sends of an object. */
function event(data: unknown, attributes: object = {}): Record<string, unknown> {
  return {
    specversion: '1.0',
    id: 'f3a1',
    source: 'https://10.0.0.1:443',
    type: 'dev.knative.apiserver.resource.update',
    data,
    ...attributes,
  };
}

const vmim = (change?: Parameters<typeof object>[1]) => object('vmim-01-pending', change);
const pod = (change?: Parameters<typeof object>[1]) => object('pod-target-02-scheduled', change);

/** What is wrong with an event: the status of the answer, and a JSON pointer. */
function problemOf(malformed: unknown): { statusCode: number; where: string } {
  try {
    requestFrom(malformed);
  } catch (error) {
    if (error instanceof MalformedEventError) return { statusCode: error.statusCode, where: error.where };
    throw error;
  }
  throw new Error('nothing is wrong with the event');
}

describe('an event says which VM to look at', () => {
  test.each(['add', 'update', 'delete'])('a VMIM, by %s', (action) => {
    const type = `dev.knative.apiserver.resource.${action}`;
    expect(requestFrom(event(vmim(), { type }))).toStrictEqual({ vmi: VMI });
  });

  test('a virt-launcher pod, by the VMI that controls it', () => {
    expect(requestFrom(event(pod()))).toStrictEqual({ vmi: VMI, hint: undefined, isPodDeletion: false });
  });

  test('a virt-launcher pod that is being deleted, as a pod that is gone', () => {
    const dying = pod({ metadata: { deletionTimestamp: '2026-08-20T10:00:03Z' } });
    expect(requestFrom(event(dying))).toMatchObject({ vmi: VMI, isPodDeletion: true });
  });

  test('a pod with the hint of where the ports are', () => {
    const hint = { ports: ['11111111-1111-4111-8111-111111111111'], bindings: [] };
    const annotations = { 'ovn-handover.dev/ports': JSON.stringify(hint) };
    expect(requestFrom(event(pod({ metadata: { annotations } })))?.hint).toEqual(hint);
  });

  test('a hint that is none does not stop the event', () => {
    const annotations = { 'ovn-handover.dev/ports': '{"ports":["x"]}' };
    expect(requestFrom(event(pod({ metadata: { annotations } })))).toEqual({
      vmi: VMI,
      hint: undefined,
      isPodDeletion: false,
    });
  });

  test('nothing but the name is taken from it: no node, no phase, no uid', () => {
    const lying = pod({ spec: { nodeName: 'evil' }, status: { phase: 'Failed' }, metadata: { uid: 'x', labels: {} } });
    expect(requestFrom(event(lying))).toEqual({ vmi: VMI, isPodDeletion: false });
  });

  test.each([
    ['add', false],
    ['update', false],
    ['delete', true],
  ])('a pod that is deleted is told from one that is not: %s', (action, isPodDeletion) => {
    const type = `dev.knative.apiserver.resource.${action}`;
    expect(requestFrom(event(pod(), { type }))).toMatchObject({ vmi: VMI, isPodDeletion });
  });

  test('a VMI or a VMIM that is deleted is no pod', () => {
    const type = 'dev.knative.apiserver.resource.delete';
    for (const data of [vmim(), object('vmi-01-idle')]) {
      expect(requestFrom(event(data, { type }))).toStrictEqual({ vmi: VMI });
    }
  });

  test.each([
    ['a hotplug attachment pod, which a pod controls', object('pod-hotplug-attachment-EXCLUDE')],
    ['a pod that nothing controls', pod({ metadata: { ownerReferences: undefined } })],
    ['another kind', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', namespace: 'y' } }],
  ])('%s is about none', (_what, data) => {
    expect(requestFrom(event(data))).toBeUndefined();
  });
});

test('an event of a VMI is about that VMI', () => {
  expect(requestFrom(event(object('vmi-01-idle')))).toStrictEqual({ vmi: VMI });
});

describe('a malformed event is answered with a pointer to what is wrong', () => {
  test.each([
    ['nothing', undefined, 400, ''],
    ['a text', 'VMIM', 400, ''],
    ['a list of events', [event(vmim())], 400, ''],
    ['another version of CloudEvents', event(vmim(), { specversion: '0.3' }), 400, '/specversion'],
    ['no id', event(vmim(), { id: undefined }), 400, '/id'],
    ['no type', event(vmim(), { type: '' }), 400, '/type'],
    ['a foreign type', event(vmim(), { type: 'com.example.order' }), 422, '/type'],
    ['Reference mode', event(vmim(), { type: 'dev.knative.apiserver.ref.update' }), 422, '/type'],
    ['no data', event(undefined), 422, '/data'],
    ['data that is text', event('{}'), 422, '/data'],
    ['data without metadata', event({ apiVersion: 'v1', kind: 'Pod' }), 422, '/data/metadata'],
    ['a VMIM without a spec', event(vmim(), { data: { ...vmim(), spec: undefined } }), 422, '/data'],
    ['a VMIM of no VMI', event(vmim({ spec: { vmiName: undefined } })), 422, '/data/spec'],
    ['a VMIM of a number', event(vmim({ spec: { vmiName: 7 } })), 422, '/data/spec/vmiName'],
    ['a VMIM of a list', event(vmim({ spec: { vmiName: ['web-01'] } })), 422, '/data/spec/vmiName'],
    ['a VMIM of a foreign group', event({ ...vmim(), apiVersion: 'evil.io/v1' }), 422, '/data/apiVersion'],
    ['a VMIM without namespace', event(vmim({ metadata: { namespace: undefined } })), 422, '/data/metadata'],
    [
      'a pod with numbers for annotations',
      event(pod({ metadata: { annotations: { a: 1 } } })),
      422,
      '/data/metadata/annotations/a',
    ],
    [
      'a pod whose owners are no list',
      event(pod({ metadata: { ownerReferences: {} } })),
      422,
      '/data/metadata/ownerReferences',
    ],
    [
      'a pod whose owner is no object',
      event(pod({ metadata: { ownerReferences: [null] } })),
      422,
      '/data/metadata/ownerReferences/0',
    ],
    ['a VMI of a number', event(object('vmi-01-idle', { metadata: { name: 7 } })), 422, '/data/metadata/name'],
    [
      'a VMI whose name breaks out',
      event(object('vmi-01-idle', { metadata: { name: '../x' } })),
      422,
      '/data/metadata/name',
    ],
    ['a pod of a foreign version', event({ ...pod(), apiVersion: 'v2' }), 422, '/data/apiVersion'],
  ])('%s', (_what, malformed, statusCode, where) => {
    expect(problemOf(malformed)).toEqual({ statusCode, where });
  });

  const breakingOut = [
    '',
    '.',
    '..',
    '../../../api/v1/nodes/worker-a',
    'web-01/../web-02',
    'web-01?labelSelector=x',
    'web-01#',
    'web-01%2f..',
    'Web-01',
    'web_01',
    'web-01\n',
    'web-01\u0000',
    'web-01 ',
    '-web',
    'web-',
    'web..01',
    'wéb',
    '{vmi}',
    '$&',
    'web-01","op":"delete',
    'a'.repeat(254),
    'a'.repeat(1_000_000),
    `${'a-'.repeat(500_000)}!`,
  ];
  // Stryker picks tests by a pattern of their titles, which a title of a megabyte would break.
  test.each(breakingOut.map((name) => [name.slice(0, 40), name.length, name] as const))(
    'a name that could break out of a path or a query: %j, %d characters',
    (_begin, _length, name) => {
      expect(problemOf(event(vmim({ spec: { vmiName: name } })))).toEqual({
        statusCode: 422,
        where: '/data/spec/vmiName',
      });
      expect(problemOf(event(vmim({ metadata: { namespace: name } })))).toMatchObject({
        where: '/data/metadata/namespace',
      });
      const ownerReferences = [{ ...(pod().metadata as { ownerReferences: object[] }).ownerReferences[0], name }];
      expect(problemOf(event(pod({ metadata: { ownerReferences } })))).toMatchObject({
        where: '/data/metadata/ownerReferences/0/name',
      });
    },
  );

  test('a namespace with a dot is none, a name with one is', () => {
    expect(problemOf(event(vmim({ metadata: { namespace: 'a.b' } }))).where).toBe('/data/metadata/namespace');
    expect(requestFrom(event(vmim({ spec: { vmiName: 'a.b' } })))?.vmi.name).toBe('a.b');
  });

  test('whatever JSON comes, it is malformed, is about none, or names a VM by legal names', () => {
    const legal = /^[a-z0-9][-a-z0-9.]{0,252}$/;
    const kind = fc.constantFrom('Pod', 'VirtualMachineInstanceMigration', '__proto__', 'constructor');
    const data = fc.record(
      { apiVersion: fc.constantFrom('v1', 'kubevirt.io/v1'), kind, metadata: fc.jsonValue(), spec: fc.jsonValue() },
      { requiredKeys: ['kind', 'apiVersion'] },
    );
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), data), (data) => {
        try {
          const request = requestFrom(event(data));
          if (request)
            expect([request.vmi.name, request.vmi.namespace]).toEqual([
              expect.stringMatching(legal),
              expect.stringMatching(legal),
            ]);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedEventError);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('of an event itself, logs and records take', () => {
  test('its id, when it was sent, and the trace that it belongs to', () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const time = '2026-11-30T10:00:01.250Z';
    expect(originOf(event(vmim(), { time, traceparent }))).toEqual({
      id: 'f3a1',
      sentAt: Date.parse(time),
      traceparent,
      givenUpBy: undefined,
      showsSwitch: false,
    });
  });

  test('nothing where it says nothing that can be read', () => {
    const unknown = { id: 'f3a1', sentAt: undefined, traceparent: undefined, givenUpBy: undefined, showsSwitch: false };
    expect(originOf(event(vmim()))).toEqual(unknown);
    expect(originOf(event(vmim(), { time: 'soon', traceparent: 7 }))).toEqual(unknown);
  });

  test('who did not take it, where it is a dead letter', () => {
    const knativeerrordest = 'http://reuse-port.ovn-handover.svc.cluster.local';
    expect(originOf(event(vmim(), { knativeerrordest }))).toMatchObject({ givenUpBy: knativeerrordest });
  });

  test('whether the pod in it is marked as switched', () => {
    const annotations = { 'kubevirt.io/migration-target-ready-timestamp': '' };
    expect(originOf(event(pod({ metadata: { annotations } })))).toMatchObject({ showsSwitch: true });
    expect(originOf(event(pod({ metadata: { annotations: {} } })))).toMatchObject({ showsSwitch: false });
  });
});
