import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlPlane } from '../control-plane.ts';
import type { GuestHealth } from '../guest/guest.ts';
import { networkOf } from '../kubevirt/cni.ts';
import { MIGRATION_JOB_UID } from '../kubevirt/labels.ts';
import { migration as migrationManifest } from '../kubevirt/manifests.ts';
import type { VirtualMachineInstanceMigration } from '../kubevirt/objects.ts';
import { watchBindings } from '../observe/bindings.ts';
import type { Seen } from '../observe/changes.ts';
import { longestSilence, lostAnswers } from '../probe/outage.ts';
import { startPing } from '../probe/ping.ts';
import { pingSamples } from '../probe/samples.ts';
import { startTcp } from '../probe/tcp.ts';
import type { TestbedDescription } from '../testbed/description.ts';
import { Baseline } from './baseline.ts';
import { guestHealth } from './guest-health.ts';
import { functionsIn, linesIn, phasesIn } from './journals.ts';
import type { MigrationResult, Mode } from './result.ts';
import type { Vm } from './vm.ts';

export interface MigrationOptions {
  readonly mode: Mode;
  readonly testbed: TestbedDescription;
  readonly controlPlane: ControlPlane;
  readonly vm: Vm;
  readonly to: string;
  readonly eventDelayMs: number;
}

const PING_EVERY_MS = 5;
/** Quiet time on both sides, so that what is out at an edge shows. */
const QUIET_MS = 1_000;
const MIGRATION_WITHIN_MS = 120_000;
/** How long after KubeVirt's last word, and the delay of events, the port may take to settle. */
const SETTLED_WITHIN_MS = 15_000;

/** Migrates the VM once while the client pings it and talks TCP to it; tells what the client and OVN saw. */
export async function migrateOnce(options: MigrationOptions): Promise<MigrationResult> {
  const { mode, testbed, controlPlane, vm, to, eventDelayMs } = options;
  const { cluster } = controlPlane;
  const from = vm.node();
  const baseline = new Baseline(testbed, vm);
  const [{ ip, port }] = vm.interfaces;
  if (mode !== 'handover') await baseline.bind(from);

  const bindings = await watchBindings(testbed, port);
  const ping = await startPing(testbed.client, ip, { intervalMs: PING_EVERY_MS });
  const tcp = await startTcp(testbed.client, ip);
  await sleep(QUIET_MS);

  const startedAt = Date.now();
  const { name, namespace } = vm;
  const migration = await cluster.vmims.create(migrationManifest({ vmiName: name, namespace, targetNode: to }));
  const deadline = AbortSignal.timeout(MIGRATION_WITHIN_MS + eventDelayMs);
  const byHand =
    mode === 'handover' ? undefined : baseline.follow(mode, migration, { ...options, cluster, from, signal: deadline });
  await cluster.until(() => isFinal(cluster.vmims.latest(migration)), deadline);
  await byHand;
  const target = chassisName(testbed, vm.node());
  await bindings.wanted
    .until((seen) => isPinnedTo(target, seen), { timeoutMs: SETTLED_WITHIN_MS + 2 * eventDelayMs })
    .catch(() => undefined); // The result shows where it stands instead.
  await sleep(QUIET_MS);

  const endedAt = Date.now();
  const [pings, echoes, guest] = [await ping.stop(), await tcp.stop(), await healthOf(migration, options)];
  await bindings.stop();
  const span = { from: startedAt, to: endedAt };
  const kubevirt = await linesIn(controlPlane.logs.kubevirt, span);
  const silence = longestSilence(pings.answers, span);
  const switched = kubevirt.find((line) => line.what === 'switched')?.switchedAt as string | undefined;
  const switchedAt = switched === undefined ? undefined : Date.parse(switched);
  const relative = <T extends object>({ at, ...state }: Seen<T>) => ({ atMs: Math.round(at - startedAt), ...state });
  return {
    mode,
    migration: migration.metadata.name,
    startedAt: new Date(startedAt).toISOString(),
    from,
    to,
    phase: cluster.vmims.latest(migration)?.status?.phase ?? 'gone',
    outageMs: round(silence.ms),
    outageAtMs: Math.round(silence.from - startedAt),
    guestBlackoutMs: kubevirt.find((line) => line.what === 'copied')?.guestBlackoutMs as number | undefined,
    switchedAtMs: switchedAt && switchedAt - startedAt,
    sentPings: pings.sent,
    lostPings: lostAnswers(pings.answers, pings.sent, span),
    tcpMaxStallMs: round(echoes.maxStallMs),
    tcpBroken: echoes.broken,
    activatedByRarp: bindings.claimed.list.some(({ at, activated }) => at >= startedAt && activated.includes(target)),
    guest,
    bindings: bindings.wanted.list.map((seen) => ({
      requestedChassis: undefined,
      activationStrategy: undefined,
      ...relative(seen),
    })),
    claims: bindings.claimed.list.map((seen) => ({ chassis: undefined, ...relative(seen) })),
    stolenClaims: bindings.claimed.list.filter(({ at, chassis }) => at < (switchedAt ?? endedAt) && chassis === target)
      .length,
    phases: phasesIn(kubevirt, startedAt),
    functions: functionsIn(await linesIn(controlPlane.logs.knative, span), startedAt),
    pings: pingSamples(pings, span).map(([sentAt, rttMs]) => [round(sentAt - startedAt), rttMs]),
  };
}

function isFinal(migration: VirtualMachineInstanceMigration | undefined): boolean {
  return migration?.status?.phase === 'Succeeded' || migration?.status?.phase === 'Failed';
}

function isPinnedTo(chassis: string, seen: { requestedChassis?: string; activationStrategy?: string }): boolean {
  return seen.requestedChassis === chassis && seen.activationStrategy === undefined;
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

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
