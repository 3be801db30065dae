import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../../testbed/command.ts';
import { BUILD_LOGS, cached } from '../build/cached.ts';
import { longRun } from '../build/long-run.ts';
import { PROGRAMS, type Program } from './programs.ts';

const PINS = fileURLToPath(new URL('../go/', import.meta.url));
const GO = {
  ...process.env,
  PATH: `${process.env.PATH}:/usr/local/go/bin`,
  ...{ CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '-mod=readonly -trimpath -buildvcs=false' },
};

/** Programs of one folder of `go/`, built. */
export interface ProgramBuild {
  readonly pins: string;
  /** Where they are, each by the last part of its package's name. */
  readonly folder: string;
  readonly programs: readonly Program[];
}

/** Builds all of {@link PROGRAMS}; what is built of the same pins already is not built again. */
export async function buildPrograms(onProgress: (step: string) => void): Promise<ProgramBuild[]> {
  const go = await run('go', ['env', 'GOVERSION'], GO);
  const builds: ProgramBuild[] = [];
  for (const [pins, programs] of Map.groupBy(PROGRAMS, (program) => program.pins)) {
    const names = programs.map(({ name }) => name);
    const files = await contentsOf(join(PINS, pins));
    const folder = await cached(`programs-${pins}`, [go, files, names], async (made) => {
      onProgress(
        `building ${pins}'s ${names.length} programs, which takes 5 minutes when nothing of them is built yet`,
      );
      const args = ['-C', join(PINS, pins), 'build', '-o', `${made}/`, '-ldflags', '-s -w', ...names];
      await longRun(['nice', '-n', '4', 'go', ...args], { log: join(BUILD_LOGS, `${pins}.log`), env: GO });
    });
    builds.push({ pins, folder, programs });
  }
  return builds;
}

async function contentsOf(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).sort();
  return Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
}
