import { expect, test } from '@jest/globals';
import type { Pod } from '../../../lab/kubevirt/objects.ts';
import { place } from '../../../lab/kubevirt/scheduler.ts';
import { fixture } from './fixtures.ts';

const source = fixture<Pod>('pod-source-running');
const target = fixture<Pod>('pod-target-01-created-unscheduled');
const nodes = ['worker-a', 'worker-b', 'worker-c'];

test('a migration target goes to the first node where no pod of its VMI runs', () => {
  expect(place(target, [source, target], nodes)).toEqual({ node: 'worker-b' });
});

test('a pod of the VMI that has completed keeps nobody away', () => {
  const completed = fixture<Pod>('pod-source-completed');
  expect(place(target, [completed, target], nodes)).toEqual({ node: 'worker-a' });
});

test('a node selector names the node', () => {
  expect(place(on(target, 'worker-c'), [source, target], nodes)).toEqual({ node: 'worker-c' });
});

test('a pod that may go nowhere is unschedulable', () => {
  expect(place(on(target, 'worker-a'), [source, target], nodes)).toMatchObject({ wait: 'Unschedulable' });
  expect(place(on(target, 'worker-x'), [source, target], nodes)).toMatchObject({ wait: 'Unschedulable' });
});

test('a pod with a gate is not placed, one whose gates are gone is', () => {
  const gated = { ...target, spec: { ...target.spec, schedulingGates: [{ name: 'ovn-handover.dev/port' }] } };
  const open = { ...target, spec: { ...target.spec, schedulingGates: [] } };
  expect(place(gated, [source], nodes)).toMatchObject({ wait: 'SchedulingGated' });
  expect(place(open, [source], nodes)).toEqual({ node: 'worker-b' });
});

function on(pod: Pod, node: string): Pod {
  return { ...pod, spec: { ...pod.spec, nodeSelector: { 'kubernetes.io/hostname': node } } };
}
