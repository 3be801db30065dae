import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlPlane } from '../control-plane.ts';
import type { GuestHealth } from '../guest/guest.ts';
import { networkOf } from '../kubevirt/cni.ts';
import { MIGRATION_JOB_UID } from '../kubevirt/labels.ts';
import { migration as migrationManifest } from '../kubevirt/manifests.ts';
import { isControlledBy, isLauncher, type Pod, type VirtualMachineInstanceMigration } from '../kubevirt/objects.ts';
import type { WantedBinding } from '../observe/bindings.ts';
import { run } from '../testbed/command.ts';
import type { TestbedDescription } from '../testbed/description.ts';
import { Baseline } from './baseline.ts';
import { GateWatch } from './gate-watch.ts';
import { guestHealth } from './guest-health.ts';
import { InterfaceWatch } from './interface-watch.ts';
import { functionsIn, linesIn, phasesIn } from './journals.ts';
import { busyWhile } from './machine.ts';
import { type MigrationResult, type Mode, round } from './result.ts';
import type { Vm } from './vm.ts';

export interface MigrationOptions {
  readonly mode: Mode;
  readonly testbed: TestbedDescription;
  readonly controlPlane: Pick<ControlPlane, 'cluster' | 'logs'>;
  readonly vm: Vm;
  readonly to: string;
  readonly eventDelayMs: number;
  /** Deletes the VMIM as soon as it is in this phase. */
  readonly cancelAt?: string;
  /** Looks at the guest from behind where it should be; by default at the lab's own. */
  readonly guestHealth?: () => Promise<GuestHealth>;
  /** How long the guest ran nowhere in the migration that has just ended; by default what the lab's KubeVirt says. */
  readonly guestBlackoutMs?: () => Promise<number | undefined>;
  /** How long KubeVirt may take. */
  readonly withinMs?: number;
  /** Quiet time on both sides, so that what is out at an edge shows. */
  readonly quietMs?: number;
}

const MIGRATION_WITHIN_MS = 120_000;
/** How long after KubeVirt's last word, and the delay of events, the port may take to settle. */
const SETTLED_WITHIN_MS = 15_000;

/** Migrates the VM once while the client pings it and talks TCP to it; tells what the client and OVN saw. */
export async function migrateOnce(options: MigrationOptions): Promise<MigrationResult> {
  const {
    mode,
    testbed,
    controlPlane,
    vm,
    to,
    eventDelayMs,
    quietMs = 1_000,
    withinMs = MIGRATION_WITHIN_MS,
  } = options;
  const { cluster } = controlPlane;
  const from = vm.node();
  const baseline = new Baseline(testbed, vm);
  if (mode !== 'handover') await baseline.bind(from);

  const watches = await Promise.all(vm.interfaces.map((nic) => InterfaceWatch.start(testbed, nic)));
  const busyBefore = await busyWhile(() => sleep(quietMs));

  const { name, namespace } = vm;
  const warnings = async () => (await cluster.warningsAbout(vm)).map(({ reason, message }) => `${reason}: ${message}`);
  const [commitsBefore, warningsBefore] = [await commitsIn(testbed), await warnings()];
  const startedAt = Date.now();
  const migration = await cluster.vmims.create(migrationManifest({ vmiName: name, namespace, targetNode: to }));
  const gates = new GateWatch(cluster, migration);
  const deadline = AbortSignal.timeout(withinMs + eventDelayMs);
  const byHand =
    mode === 'handover' ? undefined : baseline.follow(mode, migration, { ...options, cluster, from, signal: deadline });
  const phase = () => cluster.vmims.latest(migration)?.status?.phase;
  await cluster.until(() => cluster.vmims.latest(migration), deadline);
  if (options.cancelAt !== undefined) {
    await cluster.until(() => phase() === options.cancelAt || isFinal(phase()), deadline);
    await cluster.vmims.delete(migration);
  }
  // Each kind is watched by itself: here the end may be seen before the node, which KubeVirt writes before it.
  const hasEnded = () =>
    cluster.vmims.latest(migration) === undefined ||
    phase() === 'Failed' ||
    (phase() === 'Succeeded' && vm.node() === to);
  // What did not end in time is measured as it is: the result tells the phase.
  await cluster.until(hasEnded, deadline).catch(() => {});
  await byHand;
  const target = chassisName(testbed, vm.node());
  const settled = watches.map(({ bindings }) =>
    bindings.wanted.until((seen) => isPinnedTo(target, seen), { timeoutMs: SETTLED_WITHIN_MS + 2 * eventDelayMs }),
  );
  await Promise.allSettled(settled); // Where one did not settle, the result shows where it stands instead.
  if (mode === 'handover') await untilAtRest(options, watches);
  const busyAfter = await busyWhile(() => sleep(quietMs));

  const span = { from: startedAt, to: Date.now() };
  const guest = await (options.guestHealth?.() ?? healthOf(migration, options));
  const kubevirt = await linesIn(controlPlane.logs.kubevirt, span);
  const switched = kubevirt.find((line) => line.what === 'switched')?.switchedAt as string | undefined;
  const told = kubevirt.find((line) => line.what === 'copied')?.guestBlackoutMs as number | undefined;
  const blackout = options.guestBlackoutMs ? await options.guestBlackoutMs() : told;
  const switchedAt = switched === undefined ? undefined : Date.parse(switched);
  const [first, ...others] = await Promise.all(watches.map((watch) => watch.result({ span, switchedAt, target })));
  return {
    mode,
    migration: migration.metadata.name,
    startedAt: new Date(startedAt).toISOString(),
    from,
    to,
    phase: phase() ?? 'gone',
    guestBlackoutMs: blackout && round(blackout),
    switchedAtMs: switchedAt && switchedAt - startedAt,
    guest,
    interfaces: [first!, ...others],
    phases: phasesIn(kubevirt, startedAt),
    functions: functionsIn(await linesIn(controlPlane.logs.knative, span), startedAt),
    commits: (await commitsIn(testbed)) - commitsBefore,
    warnings: (await warnings()).filter((warning) => !warningsBefore.includes(warning)),
    gates: gates.result(startedAt),
    machineBusy: Math.round(Math.max(busyBefore, busyAfter) * 100) / 100,
  };
}

/**
 * Takes away the pod that the guest came from, as an operator may once it has ended, and waits until the ports are as they
 * were before. Left alone, a sweep would come to that a minute after the pod's end.
 */
async function untilAtRest(
  { controlPlane: { cluster }, vm, eventDelayMs }: MigrationOptions,
  watches: readonly InterfaceWatch[],
) {
  const hasEnded = ({ status }: Pod) => status?.phase === 'Succeeded' || status?.phase === 'Failed';
  const vmi = cluster.vmis.get(vm.namespace, vm.name);
  const own = cluster.pods.all().filter((pod) => isLauncher(pod) && vmi && isControlledBy(pod, vmi));
  const others = own.filter(({ spec }) => spec.nodeName !== vm.node());
  const deadline = AbortSignal.timeout(SETTLED_WITHIN_MS);
  await cluster.until(() => others.every((pod) => hasEnded(cluster.pods.latest(pod) ?? pod)), deadline).catch(() => {});
  for (const pod of others) await cluster.deletePod(pod);
  const settled = watches.map(({ bindings }) =>
    bindings.wanted.until(isAsBefore, { timeoutMs: SETTLED_WITHIN_MS + 2 * eventDelayMs }),
  );
  await Promise.allSettled(settled);
}

function isAsBefore({ requestedChassis, record }: WantedBinding): boolean {
  return requestedChassis === undefined && Object.keys(record).length === 0;
}

/** How many of the functions' transactions the northbound database's log has. */
async function commitsIn({ directory }: TestbedDescription): Promise<number> {
  const log = await run('ovsdb-tool', ['-m', 'show-log', join(directory, 'central', 'nb.db')]);
  return log.split('\n').filter((line) => line.includes('"ovn-handover ')).length;
}

function isPinnedTo(chassis: string, seen: WantedBinding): boolean {
  return seen.requestedChassis === chassis && seen.activationStrategy === undefined;
}

function isFinal(phase: string | undefined): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}

function chassisName(testbed: TestbedDescription, node: string): string {
  return testbed.chassis.find((chassis) => chassis.node === node)?.name ?? node;
}

/** Looks at the guest where it should be now, from behind. */
async function healthOf(
  { metadata }: VirtualMachineInstanceMigration,
  { testbed, controlPlane: { cluster }, vm }: MigrationOptions,
): Promise<GuestHealth> {
  const node = vm.node();
  const pods = cluster.pods.all().filter((pod) => pod.spec.nodeName === node && pod.status?.phase === 'Running');
  const pod = pods.find((one) => one.metadata.labels?.[MIGRATION_JOB_UID] === metadata.uid) ?? pods[0];
  if (pod === undefined) return 'gone';
  return guestHealth(networkOf(pod, testbed).directory);
}
