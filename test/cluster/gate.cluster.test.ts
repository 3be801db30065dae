/** The scheduling gate as a real kube-apiserver sets it. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { gatesOn, targetOf } from '../../lab/cluster/gate.ts';
import { MIGRATION_JOB_UID } from '../../lab/kubevirt/labels.ts';
import type { Manifest, Pod } from '../../lab/kubevirt/objects.ts';
import { Installed } from './support/installed.ts';
import { printTable } from './support/table.ts';

jest.setTimeout(180_000);

const GATES = ['ovn-handover.dev/port', 'ovn-handover.dev/dual'];
const OTHER = 'example.com/quota';
const ALLOW = 'kubevirt.io/allow-pod-bridge-network-live-migration';
let api: Installed;

beforeAll(async () => {
  api = await Installed.start();
});
afterAll(async () => {
  await api?.[Symbol.asyncDispose]();
});

type Change = (pod: Manifest<Pod>) => void;
const owner = (pod: Manifest<Pod>) => pod.metadata.ownerReferences![0]!;

const gated: Record<string, Change> = {
  'the target of a VM that opted in': () => {},
  'also with another value of the annotation': ({ metadata }) => (metadata.annotations![ALLOW] = ''),
  // KubeVirt makes it as it makes any other target; the functions let it go at their first look.
  'the target that receives in a decentralized migration': ({ metadata }) => {
    metadata.annotations!['kubevirt.io/migrationJobName'] = 'receive';
    delete metadata.labels!['kubevirt.io/nodeName'];
  },
  'also with one of our gates': ({ spec }) => (spec.schedulingGates = [{ name: GATES[1]! }]),
};

const open: Record<string, Change> = {
  'the target of a VM that did not opt in': ({ metadata }) => delete metadata.annotations![ALLOW],
  'a pod without annotations': ({ metadata }) => delete metadata.annotations,
  'the pod in which the guest starts': ({ metadata }) => delete metadata.labels![MIGRATION_JOB_UID],
  'the pod that attaches volumes': ({ metadata }) => (metadata.labels!['kubevirt.io'] = 'hotplug-disk'),
  'a pod with forged labels': ({ metadata }) => delete metadata.ownerReferences,
  'a pod of another controller': (pod) => Object.assign(owner(pod), { apiVersion: 'apps/v1', kind: 'ReplicaSet' }),
  'a pod that a VMI owns and does not control': (pod) => Object.assign(owner(pod), { controller: false }),
  'a pod that has its node': ({ spec }) => (spec.nodeName = 'node2'),
  'a pod without labels': ({ metadata }) => delete metadata.labels,
};

test('the API server puts both gates on target pods of VMs that opted in, and on no other pod', async () => {
  const rows = [['', 'gates']];
  const gatesWith = async (what: string, change: Change) => {
    const pod = targetOf('web-01', 'default');
    change(pod);
    const gates = await gatesOn(api.server.config, pod);
    rows.push([what, gates.join(', ') || '-']);
    return gates;
  };
  for (const [what, change] of Object.entries(gated)) {
    expect([what, await gatesWith(what, change)]).toEqual([what, GATES]);
  }
  const withOther: Change = ({ spec }) => (spec.schedulingGates = [{ name: OTHER }]);
  expect(await gatesWith('also with a gate of somebody else', withOther)).toEqual([OTHER, ...GATES]);
  for (const [what, change] of Object.entries(open)) expect([what, await gatesWith(what, change)]).toEqual([what, []]);
  printTable('Scheduling gates that kube-apiserver sets', rows);
});
