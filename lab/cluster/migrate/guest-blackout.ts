import type { InterfaceResult, MigrationResult } from '../../migrate/result.ts';
import type { VmDescription } from '../../testbed/description.ts';
import type { ClusterDescription } from '../description.ts';
import { kubectlIn } from '../kubectl.ts';

/** Of virt-launcher's own libvirt. */
const LIBVIRT = 'qemu+unix:///session?socket=/var/run/libvirt/virtqemud-sock';
/** By how much later than the guest runs on the target that is seen of KubeVirt. */
const SEEN_WITHIN_MS = 1_000;

/** How long QEMU let the guest run nowhere in the migration by which it came into this pod, as libvirt has it. */
export async function guestBlackoutMs(
  cluster: ClusterDescription,
  { namespace, name }: VmDescription,
  pod: string,
): Promise<number | undefined> {
  const virsh = ['virsh', '-c', LIBVIRT, 'domjobinfo', `${namespace}_${name}`, '--completed'];
  const said = await kubectlIn(cluster, '-n', namespace, 'exec', pod, '-c', 'compute', '--', ...virsh).catch(() => '');
  const [, downtime] = /^Total downtime:\s+(\d+)\s+ms$/m.exec(said) ?? [];
  return downtime === undefined ? undefined : Number(downtime);
}

/** The same migration with each silence less the guest's blackout, where that was a part of it: what is left is the network's. */
export function netOfBlackout(result: MigrationResult): MigrationResult {
  const [first, ...others] = result.interfaces;
  return { ...result, interfaces: [net(first, result), ...others.map((one) => net(one, result))] };
}

function net(seen: InterfaceResult, { guestBlackoutMs: blackout, switchedAtMs }: MigrationResult): InterfaceResult {
  if (blackout === undefined || switchedAtMs === undefined) return seen;
  const ended = seen.outageAtMs + seen.outageMs;
  const isPart = seen.outageAtMs < switchedAtMs && ended > switchedAtMs - SEEN_WITHIN_MS - blackout;
  return isPart ? { ...seen, outageMs: Math.max(0, seen.outageMs - blackout) } : seen;
}
