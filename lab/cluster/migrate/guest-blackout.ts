import type { VmDescription } from '../../testbed/description.ts';
import type { ClusterDescription } from '../description.ts';
import { kubectlIn } from '../kubectl.ts';

/** Of virt-launcher's own libvirt. */
const LIBVIRT = 'qemu+unix:///session?socket=/var/run/libvirt/virtqemud-sock';

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
