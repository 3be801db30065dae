import { buildPrograms } from './build.ts';
import { functionsArchive, networkLayerArchive, programArchive } from './images.ts';

/** Archives with all images that Knative and the functions take; builds what is not there yet. */
export async function knativeArchives(onProgress: (step: string) => void): Promise<string[]> {
  const builds = await buildPrograms(onProgress);
  const programs = [];
  for (const build of builds) programs.push(await programArchive(build));
  return [...programs, await networkLayerArchive(), await functionsArchive()];
}
