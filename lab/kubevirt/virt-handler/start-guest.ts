import { vmOf } from '../cni.ts';
import type { Context } from '../context.ts';
import { podInterface } from '../manifests.ts';
import { type Condition, type Pod, timestamp, type VirtualMachineInstance as Vmi } from '../objects.ts';
import { launcherPods } from './vmi.ts';

/** Boots the guest of a VMI whose pod runs. */
export async function startGuest(vmi: Vmi, context: Context): Promise<void> {
  const { cluster, launchers, log } = context;
  const node = vmi.status?.nodeName;
  const pod = launcherPods(vmi, context).find(({ spec }) => spec.nodeName === node);
  const launcher = launchers.of(pod);
  if (pod === undefined || launcher === undefined) return;
  const guest = await launcher.boot();
  log('guest-started', { vmi: vmi.metadata.name, node, pid: guest.pid });
  await cluster.vmis.update(vmi, ({ status }) => {
    if (status === undefined) return;
    status.phase = 'Running';
    status.migrationMethod = 'LiveMigration';
    status.migrationTransport = 'Unix';
    status.conditions = [...(status.conditions ?? []), isTrue('LiveMigratable'), isTrue('StorageLiveMigratable')];
    status.interfaces = interfacesOf(vmi, pod, context);
  });
  log('vmi-phase', { vmi: vmi.metadata.name, phase: 'Running' });
}

function interfacesOf(vmi: Vmi, pod: Pod, { testbed }: Context): object[] {
  return vmOf(pod, testbed).interfaces.map(({ mac, ip }, index) => {
    const { name = '' } = vmi.spec.networks[index] ?? {};
    const podInterfaceName = index === 0 ? 'eth0' : podInterface(name);
    const addresses = { ipAddress: ip, ipAddresses: [ip] };
    return { name, mac, ...addresses, podInterfaceName, infoSource: 'domain', queueCount: 1 };
  });
}

function isTrue(type: string): Condition {
  return { type, status: 'True', lastProbeTime: null, lastTransitionTime: timestamp() };
}
