/** `kubectl drain` of a node with three VMs, with Knative elsewhere, with all of Knative on that node, and with that doubled. */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, jest, test } from '@jest/globals';
import { binary } from '../../lab/cluster/binaries.ts';
import { fabricOf } from '../../lab/cluster/description.ts';
import { guestBlackoutMs } from '../../lab/cluster/migrate/guest-blackout.ts';
import { MIGRATION_JOB_UID } from '../../lab/kubevirt/labels.ts';
import { InterfaceWatch } from '../../lab/migrate/interface-watch.ts';
import { type InterfaceResult, outageOfNetworkMs } from '../../lab/migrate/result.ts';
import type { VmDescription } from '../../lab/testbed/description.ts';
import { useCluster, warnings } from './support/nodes.ts';
import { KNATIVE, KUBEVIRT, movePods, moveVms, otherNode, scale } from './support/placing.ts';
import { printTable } from './support/table.ts';
import { nodeOf } from './support/watched-migration.ts';

const VMS = [1, 2, 3];
const DRAINED_WITHIN_MS = 900_000;
const AT_REST_WITHIN_MS = 300_000;
const MAX_SILENCE_MS = 500;

jest.setTimeout(2_400_000);

const used = useCluster({ vms: VMS.length });

/** What a drain did to one VM. */
interface Evacuated {
  readonly vm: string;
  readonly node: string;
  /** The guest is the one that ran before. */
  readonly isSame: boolean;
  /** From the creation of its target pod to its node; missing where it never had one that runs. */
  readonly gatedMs: number | undefined;
  readonly silenceMs: number;
  readonly blackoutMs: number | undefined;
  readonly seen: InterfaceResult;
}

test('of a node that carries nothing of Knative moves three VMs, none of them gated for more than two minutes', async () => {
  const node = 'node1';
  await movePods(used, [...KNATIVE, ...KUBEVIRT], otherNode(used, node));
  const evacuated = await drain(node);
  print('Drain of a node without Knative', evacuated);
  await expectEvacuated(evacuated, { node, maxGatedMs: 120_000 });
});

test("of the node with all of Knative's replicas moves three VMs, none of them gated for more than two minutes", async () => {
  const node = 'node1';
  await movePods(used, KUBEVIRT, otherNode(used, node));
  await movePods(used, KNATIVE, node);
  const evacuated = await drain(node);
  print("Drain of the node with all of Knative's replicas", evacuated);
  await expectEvacuated(evacuated, { node, maxGatedMs: 120_000 });
});

test("of a node with one of Knative's two replicas each moves three VMs, none of them gated for more than 30 s", async () => {
  const node = 'node1';
  await movePods(used, [...KUBEVIRT, ...KNATIVE], otherNode(used, node));
  await scale(used, DOUBLED, 2);
  try {
    const evacuated = await drain(node);
    print("Drain with Knative's replicas doubled", evacuated);
    await expectEvacuated(evacuated, { node, maxGatedMs: 30_000 });
  } finally {
    await scale(used, DOUBLED, 1);
  }
});

/** The receive adapters are the source's own Deployments, which it keeps at one. */
const DOUBLED = ['knative-serving', 'knative-eventing', 'kube-system'];

/** Drains the node to which all VMs are brought first; resolves when their ports are at rest. */
async function drain(node: string): Promise<Evacuated[]> {
  await moveVms(used, VMS, node);
  const vms = VMS.map((number) => used.vm(number));
  const watches = await Promise.all(
    vms.map(({ interfaces }) => InterfaceWatch.start(used.cluster.testbed, interfaces[0])),
  );
  await sleep(1_000);
  const before = await Promise.all(vms.map((vm) => vmiUidOf(vm)));
  const startedAt = Date.now();
  try {
    await kubectlDrain(node);
    const isAtRest = { timeoutMs: AT_REST_WITHIN_MS };
    await Promise.all(
      watches.map(({ bindings }) =>
        bindings.wanted.until(
          ({ requestedChassis, record }) => requestedChassis === undefined && Object.keys(record).length === 0,
          isAtRest,
        ),
      ),
    );
  } finally {
    await used.kubectl('uncordon', node);
  }
  await sleep(1_000);
  return Promise.all(
    vms.map((vm, index) => evacuatedOf(vm, { watch: watches[index]!, startedAt, uid: before[index]! })),
  );
}

function vmiUidOf({ namespace, name }: VmDescription): Promise<string> {
  return used.kubectl('-n', namespace, 'get', 'vmi', name, '-o', 'jsonpath={.metadata.uid}');
}

/** It says at each attempt which pod it may not evict yet. */
async function kubectlDrain(node: string): Promise<void> {
  const { testbed, kubeconfig } = used.cluster;
  const options = [
    '--ignore-daemonsets',
    '--delete-emptydir-data',
    '--force',
    `--timeout=${DRAINED_WITHIN_MS / 1000}s`,
  ];
  const command = [binary('kubectl'), `--kubeconfig=${kubeconfig}`, 'drain', node, ...options];
  await promisify(execFile)('ip', ['netns', 'exec', fabricOf(testbed), ...command], { maxBuffer: 64 * 1024 * 1024 });
}

async function evacuatedOf(
  vm: VmDescription,
  { watch, startedAt, uid }: { readonly watch: InterfaceWatch; readonly startedAt: number; readonly uid: string },
): Promise<Evacuated> {
  const { cluster, kubectl } = used;
  const node = await nodeOf(used, vm);
  const label = `vm.kubevirt.io/name=${vm.name},${MIGRATION_JOB_UID}`;
  const { items } = JSON.parse(await kubectl('-n', vm.namespace, 'get', 'pods', '-l', label, '-o', 'json')) as {
    items: TargetPod[];
  };
  const target = items.find(({ spec, status }) => spec.nodeName === node && status.phase === 'Running');
  const switched = target?.metadata.annotations['kubevirt.io/migration-target-ready-timestamp'];
  const switchedAt = switched === undefined ? undefined : Date.parse(switched);
  const chassis = cluster.testbed.chassis.find((one) => one.node === node)!.name;
  const seen = await watch.result({ span: { from: startedAt, to: Date.now() }, switchedAt, target: chassis });
  const blackoutMs = target && (await guestBlackoutMs(cluster, vm, target.metadata.name));
  const switchedAtMs = switchedAt && switchedAt - startedAt;
  const silenceMs = outageOfNetworkMs(seen, { guestBlackoutMs: blackoutMs, switchedAtMs });
  const isSame = (await vmiUidOf(vm)) === uid;
  return { vm: vm.name, node, isSame, gatedMs: target && gatedMsOf(target), silenceMs, blackoutMs, seen };
}

/** To a second, as Kubernetes writes times. */
function gatedMsOf({ metadata, status }: TargetPod): number {
  const scheduled = status.conditions.find(({ type }) => type === 'PodScheduled')!;
  return Date.parse(scheduled.lastTransitionTime) - Date.parse(metadata.creationTimestamp);
}

interface TargetPod {
  readonly metadata: {
    readonly name: string;
    readonly creationTimestamp: string;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly spec: { readonly nodeName?: string };
  readonly status: {
    readonly phase: string;
    readonly conditions: readonly { readonly type: string; readonly lastTransitionTime: string }[];
  };
}

function print(title: string, evacuated: readonly Evacuated[]): void {
  printTable(title, [
    [
      '',
      'guest',
      'gated s',
      'silence of the network ms',
      'silence ms',
      'blackout ms',
      'lost pings',
      'TCP',
      'opened by RARP',
    ],
    ...evacuated.map(({ vm, isSame, gatedMs, silenceMs, blackoutMs, seen }) => [
      ...[
        vm,
        isSame ? 'the same' : 'another',
        gatedMs === undefined ? '–' : `${gatedMs / 1000}`,
        `${Math.round(silenceMs)}`,
        `${seen.outageMs}`,
        `${blackoutMs ?? '–'}`,
      ],
      ...[`${seen.lostPings}`, seen.tcpBroken ? 'broken' : 'unbroken', seen.activatedByRarp ? 'yes' : 'no'],
    ]),
  ]);
}

async function expectEvacuated(
  evacuated: readonly Evacuated[],
  { node, maxGatedMs }: { readonly node: string; readonly maxGatedMs: number },
): Promise<void> {
  for (const { vm, seen, gatedMs, silenceMs, blackoutMs: _, ...where } of evacuated) {
    const { tcpBroken, activatedByRarp } = seen;
    const isQuick = gatedMs !== undefined && gatedMs <= maxGatedMs;
    const isQuiet = silenceMs < MAX_SILENCE_MS;
    expect({ vm, ...where, tcpBroken, activatedByRarp, isQuick, isQuiet }).toEqual({
      ...{ vm, node: otherNode(used, node), isSame: true, tcpBroken: false },
      ...{ activatedByRarp: true, isQuick: true, isQuiet: true },
    });
  }
  expect(await warnings(used)).toEqual([]);
}
