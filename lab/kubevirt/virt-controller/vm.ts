import { isDeepStrictEqual } from 'node:util';
import type { Context } from '../context.ts';
import { virtualMachineInstance } from '../manifests.ts';
import { isFinal, type VirtualMachine, type VirtualMachineInstance as Vmi } from '../objects.ts';

/** virt-controller's part for VMs: each has a VMI, and gets a new one after that has ended. */
export function controlVms(context: Context): void {
  const { cluster, lives } = context;
  const all = () => cluster.vms.all();
  lives.onEach(all, (vm) => keepRunning(vm, context));
  lives.onEach(all, (vm) => keepStatus(vm, context));
}

async function keepRunning(vm: VirtualMachine, context: Context): Promise<void> {
  const { cluster, signal } = context;
  const { namespace, name } = vm.metadata;
  const isWanted = () => {
    const latest = cluster.vms.latest(vm);
    return latest !== undefined && latest.metadata.deletionTimestamp === undefined;
  };
  for (;;) {
    await cluster.until(() => !isWanted() || cluster.vmis.get(namespace, name) === undefined, signal);
    if (!isWanted()) return;
    const vmi = await cluster.vmis.create(virtualMachineInstance(vm));
    await cluster.until(() => cluster.vmis.latest(vmi), signal);
    const isOver = () => {
      const latest = cluster.vmis.latest(vmi);
      return latest === undefined || isFinal(latest) || !isWanted();
    };
    await cluster.until(isOver, signal);
    await cluster.vmis.delete(vmi);
  }
}

type Status = NonNullable<VirtualMachine['status']>;

/** Keeps what a VM says of its VMI, until it is gone. */
async function keepStatus(vm: VirtualMachine, context: Context): Promise<void> {
  const { cluster, signal } = context;
  const { namespace, name } = vm.metadata;
  const wanted = () => statusOf(vm, cluster.vmis.get(namespace, name));
  for (;;) {
    const isOld = ({ status }: VirtualMachine) => !isDeepStrictEqual(status, wanted());
    await cluster.until(() => {
      const latest = cluster.vms.latest(vm);
      return latest === undefined || isOld(latest);
    }, signal);
    if (cluster.vms.latest(vm) === undefined) return;
    const written = await cluster.vms.updateStatus(vm, (draft) => {
      draft.status = wanted();
    });
    await cluster.until(() => cluster.vms.hasSeen(written), signal);
  }
}

function statusOf({ spec: { runStrategy } }: VirtualMachine, vmi: Vmi | undefined): Status {
  const runs = vmi !== undefined && !isFinal(vmi);
  const conditions = vmi?.status?.conditions ?? [];
  const isReady = conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
  return {
    created: runs,
    ...(runs && isReady && { ready: true as const }),
    printableStatus: runs ? statusInAWord(vmi) : 'Stopped',
    runStrategy,
    ...(conditions.length > 0 && { conditions: conditions.filter(({ type }) => COPIED.has(type)) }),
  };
}

const COPIED = new Set(['Ready', 'LiveMigratable', 'StorageLiveMigratable']);

function statusInAWord({ status }: Vmi): string {
  const { startTimestamp, endTimestamp } = status?.migrationState ?? {};
  if (startTimestamp !== undefined && endTimestamp === undefined) return 'Migrating';
  return status?.phase === 'Running' ? 'Running' : 'Starting';
}
