/** What the stand-in of Kube-OVN's controller writes, on a real ovsdb-server with OVN's schema. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Cluster } from '../../../lab/kubevirt/cluster.ts';
import { controlPorts } from '../../../lab/kubevirt/kube-ovn/controller.ts';
import { ARP_PROXY, SECURITY_GROUPS, STALE_CACHE } from '../../../lab/kubevirt/labels.ts';
import { Lives } from '../../../lab/kubevirt/lives.ts';
import { launcherPod, targetPod, virtualMachine, virtualMachineInstance } from '../../../lab/kubevirt/manifests.ts';
import type {
  Pod,
  VirtualMachine,
  VirtualMachineInstance,
  VirtualMachineInstanceMigration,
} from '../../../lab/kubevirt/objects.ts';
import { describeVm, type TestbedDescription, type VmDescription } from '../../../lab/testbed/description.ts';
import { OvnDatabase } from '../../../testkit/ovn.ts';
import { type Cluster as Api, startCluster } from '../kubernetes-api/cluster.ts';

let nb: OvnDatabase;
let api: Api;
let cluster: Cluster;
let vm: VirtualMachine;
let vmi: VirtualMachineInstance;
let number = 0;
let described: VmDescription;
const vms: VmDescription[] = [];
const stop = new AbortController();

beforeAll(async () => {
  nb = await OvnDatabase.start('nb');
  api = await startCluster();
  cluster = new Cluster(api.config);
  await cluster.start();
  const log = (what: string, details: object) => what === 'error' && console.error(details);
  const lives = new Lives(cluster, log, stop.signal);
  const testbed = { northbound: nb.remote, vms } as unknown as TestbedDescription;
  await controlPorts({ cluster, testbed, lives, log, signal: stop.signal });
}, 30_000);

afterAll(async () => {
  stop.abort();
  await cluster.stop();
  await api[Symbol.asyncDispose]();
  await nb[Symbol.asyncDispose]();
});

beforeEach(async () => {
  described = describeVm({ name: `vm${++number}`, index: number });
  vms.push(described);
  const [{ port }] = described.interfaces;
  nb.ctl('--', 'ls-add', `ls${number}`, '--', 'lsp-add', `ls${number}`, port);
  vm = await cluster.vms.create(virtualMachine(described));
  vmi = await cluster.vmis.create(virtualMachineInstance(vm));
  await until(() => cluster.vmis.latest(vmi) && cluster.vms.latest(vm));
});

const until = <T>(look: () => T | undefined | false) => cluster.until(look, AbortSignal.timeout(5_000));
const port = () => described.interfaces[0].port;
const mapOf = (column: 'options' | 'external_ids'): Record<string, string> => {
  const { data } = JSON.parse(
    nb.ctl('--format=json', `--columns=${column}`, 'find', 'Logical_Switch_Port', `name=${port()}`),
  );
  return Object.fromEntries(data[0][0][1]);
};
const set = (...pairs: string[]) => nb.ctl('set', 'Logical_Switch_Port', port(), ...pairs);
/** What the column is once it has come to be so. */
async function comesToBe(column: 'options' | 'external_ids', wanted: Record<string, string>): Promise<void> {
  for (const deadline = Date.now() + 5_000; Date.now() < deadline; await new Promise((done) => setTimeout(done, 20))) {
    if (JSON.stringify(Object.entries(mapOf(column)).sort()) === JSON.stringify(Object.entries(wanted).sort())) return;
  }
  expect(mapOf(column)).toEqual(wanted);
}
const own = () => ({ pod: `prod/${described.name}`, ls: 'ovn-default', vendor: 'kube-ovn' });

async function createTarget(gates: { name: string }[] = []): Promise<Pod> {
  const vmim = { metadata: { name: 'move', uid: crypto.randomUUID() }, spec: { vmiName: vmi.metadata.name } };
  const body = targetPod(vmi, vmim as VirtualMachineInstanceMigration);
  const target = await cluster.createPod({ ...body, spec: { ...body.spec, schedulingGates: gates } });
  await isAllocated(target);
  return target;
}

async function isAllocated(pod: Pod): Promise<Pod> {
  return until(() => {
    const latest = cluster.pods.latest(pod);
    return latest?.metadata.annotations?.['ovn.kubernetes.io/allocated'] === 'true' && latest;
  });
}

async function annotate(key: string, value?: string): Promise<void> {
  await cluster.vms.update(vm, ({ metadata }) => {
    const { [key]: _, ...others } = metadata.annotations ?? {};
    metadata.annotations = value === undefined ? others : { ...others, [key]: value };
  });
  await until(() => cluster.vms.latest(vm)?.metadata.annotations?.[key] === value);
}

test('a gated target has the identity of the VM at once, and is called routed when it has a node', async () => {
  const target = await createTarget([{ name: 'somebody/gate' }]);
  const [{ ip, mac }] = described.interfaces;
  const gated = cluster.pods.latest(target)?.metadata.annotations ?? {};
  expect(gated).toMatchObject({ 'ovn.kubernetes.io/ip_address': ip, 'ovn.kubernetes.io/mac_address': mac });
  expect(gated).not.toHaveProperty(['ovn.kubernetes.io/routed']);
  await cluster.patchPod(target, { spec: { schedulingGates: [] } });
  await cluster.bindPod(target, 'node2');
  await until(() => cluster.pods.latest(target)?.metadata.annotations?.['ovn.kubernetes.io/routed'] === 'true');
});

test('each update of a pod that was ever a target writes external_ids anew, and leaves options alone', async () => {
  const target = await createTarget();
  await comesToBe('external_ids', own());
  for (const round of ['one', 'two']) {
    set(`external_ids:handover-vmi=${round}`, `options:handover-vmi=${round}`);
    await cluster.patchPod(target, { metadata: { annotations: { round } } });
    await comesToBe('external_ids', own());
    expect(mapOf('options')).toEqual({ 'handover-vmi': round });
  }
});

test("the pod that was never a target has its updates pass without a write to the port's external_ids", async () => {
  const pod = await cluster.createPod(launcherPod(vmi));
  await isAllocated(pod);
  set('external_ids:theirs=1');
  await cluster.patchPod(pod, { metadata: { annotations: { round: 'one' } } });
  await annotate(ARP_PROXY, '10.0.0.0/8');
  await comesToBe('options', { arp_proxy: '10.0.0.0/8' });
  expect(mapOf('external_ids')).toEqual({ theirs: '1' });
});

test('the deletion of any launcher pod takes the binding off, and no other option', async () => {
  const pod = await isAllocated(await cluster.createPod(launcherPod(vmi)));
  set('options:requested-chassis="a,b"', 'options:activation-strategy=rarp', 'options:handover-vmi=uid');
  await cluster.deletePod(pod, 0);
  await comesToBe('options', { 'handover-vmi': 'uid' });
});

test('what was written since its copy was made is lost when it writes options or external_ids back', async () => {
  const pod = await isAllocated(await cluster.createPod(launcherPod(vmi)));
  set('options:requested-chassis=a', 'external_ids:before=1');
  // Its copy has followed when it writes with what was just set.
  await annotate(ARP_PROXY, 'one');
  await comesToBe('options', { 'requested-chassis': 'a', arp_proxy: 'one' });
  await annotate(STALE_CACHE, 'true');
  set('options:requested-chassis="a,b"', 'options:activation-strategy=rarp', 'external_ids:since=1');
  await annotate(ARP_PROXY, 'two');
  await comesToBe('options', { 'requested-chassis': 'a', arp_proxy: 'two' });
  await cluster.patchPod(pod, { metadata: { annotations: { [SECURITY_GROUPS]: 'web' } } });
  await comesToBe('external_ids', { before: '1', security_groups: 'web', associated_sg_web: 'true' });
  await annotate(STALE_CACHE);
  set('options:requested-chassis=b');
  await annotate(ARP_PROXY);
  await comesToBe('options', { 'requested-chassis': 'b' });
});
