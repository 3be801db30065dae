import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * When what is built was written: that goes into images and archives in the place of the time at which they are made.
 * SOURCE_DATE_EPOCH (reproducible-builds.org) is heeded; else it is the last commit, or 1970 where there is no git.
 */
export async function sourceDate(project: string): Promise<Date> {
  const given = process.env.SOURCE_DATE_EPOCH;
  const seconds = given ?? (await commitTime(project));
  const date = new Date(Number(seconds) * 1_000);
  if (Number.isNaN(date.getTime())) throw new Error(`SOURCE_DATE_EPOCH is ${given}, expected seconds since 1970`);
  return date;
}

async function commitTime(project: string): Promise<string> {
  const log = ['-C', project, 'log', '-1', '--format=%ct'];
  const { stdout } = await promisify(execFile)('git', log).catch(() => ({ stdout: '0' }));
  return stdout;
}
