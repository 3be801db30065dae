import { parentPort, workerData } from 'node:worker_threads';
import { Choices } from './choices.ts';
import { installClock } from './clock.ts';
import { removeGuard } from './guards.ts';

/** What one thread is to do: seeds `first`, `first + stride`, … below `end`. */
export interface Work {
  readonly first: number;
  readonly end: number;
  readonly stride: number;
  readonly without: string | undefined;
}

export type Report = { readonly done: number } | { readonly seed: number; readonly broken: string };

/** How many schedules are run between two reports. */
const BATCH = 100;

const { first, end, stride, without } = workerData as Work;
if (without !== undefined) removeGuard(without);
const { runSchedule } = await import('./schedule.ts');
installClock();
// Errors that are expected to pass come by the thousand; their stacks would cost more than all else.
Error.stackTraceLimit = 0;
const report = (message: Report) => parentPort?.postMessage(message);

let done = 0;
for (let seed = first; seed < end; seed += stride) {
  const broken = await runSchedule(new Choices({ seed }));
  if (broken !== undefined) report({ seed, broken });
  if (++done % BATCH === 0) {
    report({ done: BATCH });
    // Lets the message out.
    await new Promise(setImmediate);
  }
}
report({ done: done % BATCH });
