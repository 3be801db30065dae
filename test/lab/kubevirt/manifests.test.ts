import { expect, test } from '@jest/globals';
import {
  attachmentPod,
  launcherPod,
  migration,
  podInterface,
  targetPod,
  virtualMachine,
  virtualMachineInstance,
} from '../../../lab/kubevirt/manifests.ts';
import type {
  KubernetesObject,
  Manifest,
  Pod,
  VirtualMachine,
  VirtualMachineInstance,
  VirtualMachineInstanceMigration,
} from '../../../lab/kubevirt/objects.ts';
import { describeVm } from '../../../lab/testbed/description.ts';
import { fixture } from './fixtures.ts';

const vm = fixture<VirtualMachine>('vm');
const vmi = fixture<VirtualMachineInstance>('vmi-01-idle');
const vmim = fixture<VirtualMachineInstanceMigration>('vmim-01-pending');
const created = fixture<Pod>('pod-target-01-created-unscheduled');

test('a VMI is the template of its VM, with what the webhooks add', () => {
  const made = virtualMachineInstance(vm);
  expect(made.spec).toEqual(vm.spec.template.spec);
  expect(made.metadata.finalizers).toEqual(vmi.metadata.finalizers);
  expect(made.metadata.ownerReferences).toEqual(vmi.metadata.ownerReferences);
  expect(made.metadata.labels).toEqual(vm.spec.template.metadata.labels);
  expect(made.metadata.annotations).toEqual({
    ...vmi.metadata.annotations,
    'kubevirt.io/allow-pod-bridge-network-live-migration': '',
  });
});

test("a launcher pod is KubeVirt's, but for what Multus and the scheduler write", () => {
  expect(launcherPod(vmi)).toEqual(asCreated(fixture<Pod>('pod-source-running')));
});

test("a target pod is KubeVirt's: all labels copied, the source's node among them", () => {
  expect(targetPod(vmi, vmim)).toEqual(asCreated(created));
});

test('annotations of the VMI reach its pods, those of the API versions do not', () => {
  const opted = { ...vmi, metadata: { ...vmi.metadata, annotations: { ...vmi.metadata.annotations, mine: 'yes' } } };
  const { annotations } = launcherPod(opted).metadata;
  expect(annotations).toHaveProperty('mine', 'yes');
  expect(annotations).not.toHaveProperty(['kubevirt.io/latest-observed-api-version']);
});

test('an added node selector narrows the choice and never overrides that of the VM', () => {
  const added = { 'kubernetes.io/hostname': 'worker-b', disk: 'ssd' };
  const selected = { ...vmim, spec: { ...vmim.spec, addedNodeSelector: added } };
  const pinned = { ...vmi, spec: { ...vmi.spec, nodeSelector: { 'kubernetes.io/hostname': 'worker-a' } } };
  expect(targetPod(vmi, selected).spec.nodeSelector).toEqual(added);
  expect(targetPod(pinned, selected).spec.nodeSelector).toEqual({ ...added, 'kubernetes.io/hostname': 'worker-a' });
});

test("a hotplug pod carries the migration's labels, is owned by the launcher, and asks for its node", () => {
  const launcher = fixture<Pod>('pod-target-03-running');
  const expected = asCreated(fixture<Pod>('pod-hotplug-attachment-EXCLUDE'));
  const nodeSelector = { 'kubernetes.io/hostname': 'worker-b' };
  expect(attachmentPod(launcher, vmim)).toEqual({ ...expected, spec: { ...expected.spec, nodeSelector } });
});

test('a migration is made as virtctl and the webhook make it', () => {
  const made = migration({ vmiName: 'web-01', namespace: 'prod' });
  const { annotations: _, ...metadata } = asCreated(vmim).metadata;
  expect(made).toEqual({ ...asCreated(vmim), metadata });
  const there = migration({ vmiName: 'web-01', namespace: 'prod', targetNode: 'node1', annotations: { a: 'b' } });
  expect(there.spec.addedNodeSelector).toEqual({ 'kubernetes.io/hostname': 'node1' });
  expect(there.metadata.annotations).toMatchObject({ a: 'b' });
});

test('a VM opts in unless it is told what its template has', () => {
  const annotations = (made: Manifest<VirtualMachine>) => made.spec.template.metadata.annotations;
  const optIn = { 'kubevirt.io/allow-pod-bridge-network-live-migration': 'true' };
  expect(annotations(virtualMachine(describeVm()))).toEqual(optIn);
  expect(annotations(virtualMachine({ ...describeVm(), annotations: {} }))).toEqual({});
});

test('a second interface is on a network that Multus attaches, and the pods say which with its MAC', () => {
  const made = virtualMachine(describeVm({ nics: 2 }));
  const { domain, networks } = made.spec.template.spec;
  expect(networks).toEqual([
    { name: 'default', pod: {} },
    { name: 'net2', multus: { networkName: 'net2' } },
  ]);
  expect(domain.devices.interfaces).toEqual([
    { name: 'default', bridge: {}, macAddress: '02:00:00:00:00:01' },
    { name: 'net2', bridge: {}, macAddress: '02:00:00:00:01:01' },
  ]);
  const pod = launcherPod({ ...vmi, spec: made.spec.template.spec });
  expect(JSON.parse(pod.metadata.annotations?.['k8s.v1.cni.cncf.io/networks'] ?? '')).toEqual([
    { name: 'net2', namespace: 'prod', mac: '02:00:00:00:01:01', interface: podInterface('net2') },
  ]);
});

/** What of an object its creator sent: without what the API server, the scheduler and Multus filled in. */
function asCreated<T extends KubernetesObject & { spec: object; status?: unknown }>(object: T): T {
  const { status: _status, ...rest } = structuredClone(object);
  const { name: _name, uid: _uid, resourceVersion: _version, creationTimestamp: _at, ...metadata } = rest.metadata;
  const { generation: _generation, ...kept } = metadata as typeof metadata & { generation?: number };
  delete kept.annotations?.['k8s.v1.cni.cncf.io/network-status'];
  const { nodeName: _node, ...spec } = rest.spec as { nodeName?: string };
  return { ...rest, metadata: kept, spec } as unknown as T;
}
