import type { Context } from '../context.ts';
import {
  isControlledBy,
  isLauncher,
  type MigrationState,
  type Pod,
  type VirtualMachineInstance as Vmi,
} from '../objects.ts';
import { StepFailed } from '../pace.ts';

export function launcherPods(vmi: Vmi, { cluster }: Context): Pod[] {
  return cluster.pods.all().filter((pod) => isLauncher(pod) && isControlledBy(pod, vmi));
}

export function podNamed(vmi: Vmi, name: string | undefined, context: Context): Pod | undefined {
  return launcherPods(vmi, context).find(({ metadata }) => metadata.name === name);
}

/** Writes into the VMI's migrationState as long as that is of the same migration. */
export async function setState(
  vmi: Vmi,
  context: Context,
  values: MigrationState,
  also?: (draft: Vmi) => void,
): Promise<void> {
  const { migrationUid } = vmi.status?.migrationState ?? {};
  await context.cluster.vmis.update(vmi, (draft) => {
    const state = draft.status?.migrationState;
    if (state?.migrationUid !== migrationUid) return;
    Object.assign(state ?? {}, values);
    also?.(draft);
  });
}

/** What the VMI now says of the migration that it was of; nothing when it is of another, or gone. */
export function stateNow(vmi: Vmi, { cluster }: Context): MigrationState | undefined {
  const state = cluster.vmis.latest(vmi)?.status?.migrationState;
  return state?.migrationUid === vmi.status?.migrationState?.migrationUid ? state : undefined;
}

export function hasFailed(vmi: Vmi, context: Context): boolean {
  const state = stateNow(vmi, context);
  return state === undefined || state.failed === true;
}

/** Passes on all errors but that of a step that was told to fail: for this there is a value. */
export function unlessTold<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof StepFailed) return value;
    throw error;
  };
}
