import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from '../control-plane.ts';

/** For many VMs, whose guests do not matter. A sweep comes when it is asked for: what is right, events alone made right. */
export function startStageControlPlane(
  options: Pick<ControlPlaneOptions, 'testbed' | 'paceMs' | 'onProgress'>,
): Promise<ControlPlane> {
  return startControlPlane({
    ...options,
    guest: 'endpoint',
    gate: true,
    functions: true,
    pingSource: false,
    eventDelayMs: 0,
    idleMs: 30_000,
  });
}
