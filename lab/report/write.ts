import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Mode, Report } from '../migrate/result.ts';
import { page, picture } from './page.ts';

/** Hand-over first: it is what the others are compared with. */
const ORDER: readonly Mode[] = ['handover', 'floor', 'single'];

/**
 * Draws results of `lab migrate`: `report.html` with all of them, `report.svg` with a migration of the first.
 *
 * @returns the files written.
 */
export async function writeReport(results: readonly Report[], directory: string): Promise<string[]> {
  const [first, ...others] = results.toSorted((a, b) => ORDER.indexOf(a.mode) - ORDER.indexOf(b.mode));
  if (first === undefined) throw new Error('There is no result to report on: give the files of `lab migrate --json`.');
  await mkdir(directory, { recursive: true });
  const [pageFile, pictureFile] = [join(directory, 'report.html'), join(directory, 'report.svg')];
  await writeFile(pageFile, await page([first, ...others]));
  await writeFile(pictureFile, await picture(first));
  return [pageFile, pictureFile];
}

/** @throws Error when the file holds no result of `lab migrate --json` */
export async function readResult(file: string): Promise<Report> {
  const text = await readFile(file, 'utf8').catch((cause) => {
    throw new Error(`Cannot read ${file}: give a file of \`lab migrate --json\`.`, { cause });
  });
  const report = parsed(text);
  if (!report?.migrations?.length || !report.migrations.every(({ interfaces }) => interfaces?.[0].pings?.length > 0)) {
    throw new Error(`${file} holds no migrations with their pings: make it anew by \`lab migrate --json\`.`);
  }
  return report as Report;
}

function parsed(text: string): Partial<Report> | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
