import { buildPrograms } from './build.ts';
import { networkLayerArchive, programArchive } from './images.ts';

/** Archives with all images that Knative takes; builds what is not there yet. Those of the functions come when they are deployed. */
export async function knativeArchives(onProgress: (step: string) => void): Promise<string[]> {
  const builds = await buildPrograms(onProgress);
  const programs = [];
  for (const build of builds) programs.push(await programArchive(build));
  return [...programs, await networkLayerArchive()];
}
