import { buildParts } from '../../lab/cluster/build/parts.ts';
import { type ClusterDescription, DIRECTORY, readCluster } from '../../lab/cluster/description.ts';
import { requireMachine } from '../../lab/cluster/requirements.ts';
import { isStanding, Supervisor } from '../../lab/cluster/up.ts';

/** The cluster that stands, or one that is started for this and ends with it. */
export async function standingCluster(
  vms: number,
  progress: (step: string) => void,
): Promise<{ cluster: ClusterDescription } & AsyncDisposable> {
  if (await isStanding()) return { cluster: await readCluster(), async [Symbol.asyncDispose]() {} };
  await requireMachine();
  const parts = await buildParts(progress);
  const supervisor = await Supervisor.start({ directory: DIRECTORY, parts, vms, ovn: 'bookworm' }, progress);
  await supervisor.ready;
  return { cluster: await readCluster(), [Symbol.asyncDispose]: () => supervisor.stop() };
}
