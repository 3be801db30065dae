import type { Context } from '../context.ts';
import { virtualMachineInstance } from '../manifests.ts';
import { isFinal, type VirtualMachine } from '../objects.ts';

/** virt-controller's part for VMs: each has a VMI, and gets a new one after that has ended. */
export function controlVms(context: Context): void {
  const { cluster, lives } = context;
  lives.onEach(
    () => cluster.vms.all(),
    (vm) => keepRunning(vm, context),
  );
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
    const isReady = () => cluster.vmis.latest(vmi)?.status?.conditions?.some(readyCondition) ?? false;
    await cluster.until(() => isOver() || isReady(), signal);
    if (isReady()) await setReady(vm, true, context);
    await cluster.until(isOver, signal);
    await setReady(vm, false, context);
    await cluster.vmis.delete(vmi);
  }
}

function readyCondition({ type, status }: { type: string; status: string }): boolean {
  return type === 'Ready' && status === 'True';
}

async function setReady(vm: VirtualMachine, ready: boolean, { cluster }: Context): Promise<void> {
  const printableStatus = ready ? 'Running' : 'Stopped';
  await cluster.vms.updateStatus(vm, (draft) => {
    draft.status = { created: ready, ready, printableStatus, runStrategy: vm.spec.runStrategy };
  });
}
