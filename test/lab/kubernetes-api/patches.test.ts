import type { KubernetesObject } from '../../../lab/kubernetes-api/object.ts';
import { applyPatchBody, mergePatch } from '../../../lab/kubernetes-api/patches.ts';
import { resources } from '../../../lab/kubernetes-api/resources.ts';
import { strategicMerge } from '../../../lab/kubernetes-api/strategic-merge.ts';

const pods = resources.find(({ plural }) => plural === 'pods')!;
const vmis = resources.find(({ plural }) => plural === 'virtualmachineinstances')!;

const pod: KubernetesObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'one', annotations: { a: 'b' } },
  spec: { schedulingGates: [{ name: 'first' }, { name: 'second' }] },
};

const code = (expected: number) => expect.objectContaining({ status: expect.objectContaining({ code: expected }) });

describe('JSON Patch', () => {
  const type = 'application/json-patch+json';

  test('takes one gate off and leaves the original as it was', () => {
    const before = structuredClone(pod);
    const patched = applyPatchBody(pods, type, pod, [
      { op: 'test', path: '/spec/schedulingGates/0/name', value: 'first' },
      { op: 'remove', path: '/spec/schedulingGates/0' },
    ]);
    expect(patched.spec).toEqual({ schedulingGates: [{ name: 'second' }] });
    expect(pod).toEqual(before);
  });

  test('whose test fails is unprocessable, and says no more, like kube-apiserver', () => {
    const patch = [{ op: 'test', path: '/metadata/name', value: 'two' }];
    expect(() => applyPatchBody(pods, type, pod, patch)).toThrow(code(422));
    expect(() => applyPatchBody(pods, type, pod, patch)).toThrow(
      'the server rejected our request due to an error in our request',
    );
  });

  test('of a path that is not there is unprocessable', () => {
    expect(() => applyPatchBody(pods, type, pod, [{ op: 'remove', path: '/spec/nodeName' }])).toThrow(code(422));
  });

  test('that is no list is a bad request', () => {
    expect(() => applyPatchBody(pods, type, pod, { op: 'remove' })).toThrow(code(400));
  });
});

test.each([
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
])('merge patch, RFC 7396 appendix A: %j with %j is %j', (target, patch, expected) => {
  expect(mergePatch(target, patch)).toEqual(expected);
});

describe('strategic merge patch', () => {
  test('merges conditions by type', () => {
    const status = {
      conditions: [
        { type: 'Ready', status: 'False' },
        { type: 'PodScheduled', status: 'True' },
      ],
    };
    expect(strategicMerge({ status }, { status: { conditions: [{ type: 'Ready', status: 'True' }] } })).toEqual({
      status: {
        conditions: [
          { type: 'Ready', status: 'True' },
          { type: 'PodScheduled', status: 'True' },
        ],
      },
    });
  });

  test('deletes from keyed lists and from sets', () => {
    const target = { metadata: { finalizers: ['a', 'b'] }, spec: pod.spec };
    const patch = {
      metadata: { '$deleteFromPrimitiveList/finalizers': ['a'], finalizers: ['c'] },
      spec: { schedulingGates: [{ $patch: 'delete', name: 'first' }], $setElementOrder: [] },
    };
    expect(strategicMerge(target, patch)).toEqual({
      metadata: { finalizers: ['b', 'c'] },
      spec: { schedulingGates: [{ name: 'second' }] },
    });
  });

  test('replaces other lists, and what it is told to replace', () => {
    expect(strategicMerge({ args: ['a'], m: { a: 1 } }, { args: ['b'], m: { $patch: 'replace', b: 2 } })).toEqual({
      args: ['b'],
      m: { b: 2 },
    });
  });

  test('is an unsupported media type for custom resources', () => {
    expect(() => applyPatchBody(vmis, 'application/strategic-merge-patch+json', pod, {})).toThrow(code(415));
    expect(() => applyPatchBody(vmis, 'application/apply-patch+yaml', pod, {})).toThrow(
      'accepted media types include: application/json-patch+json, application/merge-patch+json',
    );
  });
});
