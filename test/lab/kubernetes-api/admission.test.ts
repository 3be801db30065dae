import { fileURLToPath } from 'node:url';
import { jest } from '@jest/globals';
import { parseDocument } from 'yaml';
import { admission, loadAdmission } from '../../../lab/kubernetes-api/admission/admission.ts';
import { compile } from '../../../lab/kubernetes-api/admission/expression.ts';
import { readPolicies } from '../../../lab/kubernetes-api/admission/policy.ts';
import type { KubernetesObject } from '../../../lab/kubernetes-api/object.ts';
import { resources } from '../../../lab/kubernetes-api/resources.ts';
import { fixture, optIn, targetPod } from './fixtures.ts';

const pods = resources.find(({ plural }) => plural === 'pods')!;
const gates = [{ name: 'ovn-handover.dev/port' }, { name: 'ovn-handover.dev/dual' }];
const others = { name: 'example.com/quota' };

const create = (object: KubernetesObject) => ({
  operation: 'CREATE' as const,
  resource: pods,
  object,
  oldObject: null,
});
const gatesOf = (object: KubernetesObject) => (object.spec as { schedulingGates?: unknown }).schedulingGates;

describe('the scheduling gate policy', () => {
  const file = new URL('../../../eventing/components/scheduling-gate/policy.yaml', import.meta.url);
  const policy = loadAdmission([fileURLToPath(file)]);

  test('gates a target pod of a VM that opted in', async () => {
    expect(gatesOf((await policy)(create(targetPod())))).toEqual(gates);
  });

  test('changes nothing else in it', async () => {
    const pod = targetPod();
    const gated = (await policy)(create(pod));
    expect(gated).toEqual({ ...pod, spec: { ...(pod.spec as object), schedulingGates: gates } });
  });

  test('keeps gates that are there already', async () => {
    const pod = targetPod({ spec: { schedulingGates: [others] } });
    expect(gatesOf((await policy)(create(pod)))).toEqual([others, ...gates]);
  });

  test('does not gate twice', async () => {
    const pod = targetPod({ spec: { schedulingGates: [gates[1], others] } });
    expect(gatesOf((await policy)(create(pod)))).toEqual([others, ...gates]);
  });

  test.each([
    ['a target pod of a VM that did not opt in', fixture('pod-target-01-created-unscheduled')],
    ["a VM's first pod", annotated(fixture('pod-source-running'))],
    ['a hotplug attachment pod of a migration', annotated(fixture('pod-hotplug-attachment-EXCLUDE'))],
    ["a pod with a VM's labels that no VMI controls", without(targetPod(), 'ownerReferences')],
    ['a target pod without annotations', without(targetPod(), 'annotations')],
    ['a pod without labels', without(targetPod(), 'labels')],
    ['a pod that has its node already', targetPod({ spec: { nodeName: 'worker-b' } })],
    [
      'an empty list of gates on a pod that is no target',
      { ...plainPod(), spec: { schedulingGates: [], containers: [] } },
    ],
    ['any other pod', plainPod()],
  ])('leaves alone: %s', async (_, pod) => {
    expect((await policy)(create(pod))).toBe(pod);
  });

  test('does not put the gate back when a target pod is updated', async () => {
    const pod = targetPod();
    expect((await policy)({ operation: 'UPDATE', resource: pods, object: pod, oldObject: pod })).toBe(pod);
  });
});

function annotated(pod: KubernetesObject): KubernetesObject {
  return { ...pod, metadata: { ...pod.metadata, annotations: { ...pod.metadata.annotations, ...optIn } } };
}

function without(pod: KubernetesObject, field: string): KubernetesObject {
  const { [field]: _, ...metadata } = pod.metadata;
  return { ...pod, metadata };
}

function plainPod(): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'plain', namespace: 'prod' }, spec: { containers: [] } };
}

const binding = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingAdmissionPolicyBinding',
  metadata: { name: 'b' },
  spec: { policyName: 'p' },
};

const labelIt = `[JSONPatch{op: "add", path: "/metadata/labels", value: {"seen": "yes"}}]`;

/** A policy on pods; `spec` is YAML that overrides parts of it. */
function policyObject(spec = '') {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingAdmissionPolicy',
    metadata: { name: 'p' },
    spec: {
      reinvocationPolicy: 'Never',
      matchConstraints: {
        resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['pods'] }],
      },
      mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: labelIt } }],
      ...parseDocument(spec).toJS(),
    },
  };
}

describe('a policy', () => {
  const run = (spec: string, pod = plainPod()) => admission(readPolicies([policyObject(spec), binding]))(create(pod));

  test('has no effect without a binding', () => {
    const pod = plainPod();
    expect(admission(readPolicies([policyObject()]))(create(pod))).toBe(pod);
  });

  test('mutates what it matches', () => {
    expect(run('').metadata.labels).toEqual({ seen: 'yes' });
  });

  test('applies only to the resources and operations of its rules', () => {
    const pod = plainPod();
    const rules = (rule: string) =>
      `matchConstraints: {resourceRules: [{apiGroups: [''], apiVersions: [v1], ${rule}}]}`;
    expect(run(rules('operations: [UPDATE], resources: [pods]'), pod)).toBe(pod);
    expect(run(rules('operations: [CREATE], resources: [pods/status]'), pod)).toBe(pod);
    expect(run(rules('operations: [CREATE], resources: ["*"]'), pod)).not.toBe(pod);
  });

  test('whose condition is false is skipped, even if another condition cannot be evaluated', () => {
    const pod = plainPod();
    expect(run('matchConditions: [{name: a, expression: object.nope == 1}, {name: b, expression: "false"}]', pod)).toBe(
      pod,
    );
  });

  test('that cannot be evaluated denies the request, if it fails closed', () => {
    expect(() => run('matchConditions: [{name: a, expression: object.nope == 1}]')).toThrow(
      "policy 'p' with binding 'b' denied request: field not found: nope",
    );
  });

  test('that cannot be evaluated is skipped and reported, if it is to be ignored', () => {
    const report = jest.spyOn(console, 'error').mockImplementation(() => {});
    const pod = plainPod();
    expect(run('{failurePolicy: Ignore, matchConditions: [{name: a, expression: object.nope == 1}]}', pod)).toBe(pod);
    expect(report).toHaveBeenCalledWith("policy 'p' with binding 'b' ignored: field not found: nope");
    report.mockRestore();
  });

  test('whose JSON Patch has a test that fails leaves the object alone', () => {
    const pod = plainPod();
    const expression = `'[JSONPatch{op: "test", path: "/kind", value: "Node"}, JSONPatch{op: "remove", path: "/spec"}]'`;
    expect(run(`mutations: [{patchType: JSONPatch, jsonPatch: {expression: ${expression}}}]`, pod)).toBe(pod);
  });

  test('whose JSON Patch does not fit the object denies the request', () => {
    const expression = `'[JSONPatch{op: "remove", path: "/spec/nodeName"}]'`;
    expect(() => run(`mutations: [{patchType: JSONPatch, jsonPatch: {expression: ${expression}}}]`)).toThrow(
      'JSON Patch: ',
    );
  });

  test.each([
    ['matchConditions: [{name: a, expression: 1 +}]', 'spec.matchConditions[0].expression: cannot be evaluated here'],
    ['matchConditions: [{name: a, expression: namespaceObject == null}]', 'unknown variable namespaceObject'],
    [
      'matchConditions: [{name: a, expression: "true || authorizer.group(object)"}]',
      'unknown variable authorizer, function group',
    ],
    ['mutations: [{patchType: JSONPatch, jsonPatch: {expression: "[Object.spec{}]"}}]', 'unknown type Object.spec'],
    ['mutations: [{patchType: ApplyConfiguration, applyConfiguration: {}}]', 'applyConfiguration not supported here'],
    ['variables: [{name: a, expression: "1"}]', 'spec: variables not supported here'],
    ['paramKind: {kind: ConfigMap}', 'spec: paramKind not supported here'],
    ['matchConstraints: {namespaceSelector: {}}', 'namespaceSelector not supported here'],
    ['reinvocationPolicy: IfNeeded', 'must be Never, but is IfNeeded'],
    ['failurePolicy: Maybe', 'must be Fail or Ignore, but is Maybe'],
  ])('with %s is rejected at start', (spec, message) => {
    expect(() => readPolicies([policyObject(spec), binding])).toThrow(message);
  });

  test('that a binding names but nobody wrote is rejected at start', () => {
    expect(() => readPolicies([binding])).toThrow(
      'MutatingAdmissionPolicyBinding b: there is no MutatingAdmissionPolicy p',
    );
  });

  test('is the only kind of object that is taken', () => {
    expect(() => readPolicies([{ apiVersion: 'v1', kind: 'ConfigMap' }])).toThrow(
      'v1 ConfigMap is no MutatingAdmissionPolicy',
    );
  });
});

describe('an expression', () => {
  const evaluate = (text: string, object: unknown = {}) => compile(text)({ object, oldObject: null, request: {} });

  test('sees whole numbers as ints', () => {
    expect(evaluate('object.n + 1 == 3 && object.f > 0.5', { n: 2, f: 0.75 })).toBe(true);
  });

  test('may escape keys of a JSON pointer', () => {
    const expression = '[JSONPatch{op: "remove", path: "/metadata/labels/" + jsonpatch.escapeKey("a/b~c")}]';
    expect(evaluate(expression)).toEqual([{ op: 'remove', path: '/metadata/labels/a~1b~0c' }]);
  });

  test('keeps the kinds of JSON in the value of a patch', () => {
    const expression =
      '[JSONPatch{op: "add", path: "/x", value: [{"a": 1}, {"b": true}, {"c": null}, {"d": "s"}, {"e": [0.5]}]}]';
    expect(evaluate(expression)).toEqual([
      { op: 'add', path: '/x', value: [{ a: 1 }, { b: true }, { c: null }, { d: 's' }, { e: [0.5] }] },
    ]);
  });
});
