import { buildParts } from './build/parts.ts';
import { type ClusterDescription, DIRECTORY, readCluster } from './description.ts';
import { startVms } from './kubevirt/vm.ts';
import { requireMachine } from './requirements.ts';
import { isStanding, Supervisor } from './up.ts';

/** The cluster that stands, or one that is started for this and ends with it; with at least so many VMs. */
export async function standingCluster(
  vms: number,
  progress: (step: string) => void,
): Promise<{ cluster: ClusterDescription } & AsyncDisposable> {
  if (await isStanding()) {
    const cluster = await readCluster();
    await startVms(cluster, cluster.testbed.vms.slice(0, vms), progress);
    return { cluster, async [Symbol.asyncDispose]() {} };
  }
  await requireMachine();
  const parts = await buildParts(progress, { knative: true });
  const supervisor = await Supervisor.start(
    { directory: DIRECTORY, parts, vms, knative: true, ovn: 'bookworm' },
    progress,
  );
  await supervisor.ready.catch(async (error) => {
    await supervisor.stop();
    throw error;
  });
  return { cluster: await readCluster(), [Symbol.asyncDispose]: () => supervisor.stop() };
}
