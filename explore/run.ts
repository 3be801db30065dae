import { Worker } from 'node:worker_threads';
import type { CoveragePoint } from './coverage.ts';
import type { Report, Work } from './worker.ts';

export interface Failure {
  readonly seed: number;
  readonly broken: string;
}

/** A young generation that holds what a few schedules leave behind: most of it is garbage after one. */
const YOUNG_GENERATION_MB = 64;

/**
 * Runs schedules in a thread of their own, until one fails.
 * @param onDone is told how many more have passed, and what they came across
 */
export async function runInThread(
  work: Work,
  signal: AbortSignal,
  onDone: (done: number, covered: readonly [CoveragePoint, number][]) => void = () => {},
): Promise<Failure | undefined> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: work,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
  });
  const stop = () => void worker.terminate();
  signal.addEventListener('abort', stop);
  try {
    return await new Promise<Failure | undefined>((resolve, reject) => {
      worker.on('error', reject);
      worker.on('exit', () => resolve(undefined));
      worker.on('message', (report: Report) => {
        if ('broken' in report) resolve(report);
        else onDone(report.done, report.covered);
      });
    });
  } finally {
    signal.removeEventListener('abort', stop);
    await worker.terminate();
  }
}
