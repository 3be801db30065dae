import { parentPort, workerData } from 'node:worker_threads';
import { Choices } from './choices.ts';
import { installClock } from './clock.ts';
import { Coverage, type CoveragePoint } from './coverage.ts';
import { outsideOfPromises } from './microtasks.ts';
import { removeGuard } from './remove-guard.ts';

/** What one thread is to do: seeds `first`, `first + stride`, … below `end`, up to the first that breaks a promise. */
export interface Work {
  readonly first: number;
  readonly end: number;
  readonly stride: number;
  readonly without: string | undefined;
}

export type Report =
  | { readonly done: number; readonly covered: [CoveragePoint, number][] }
  | { readonly seed: number; readonly broken: string };

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
let coverage = new Coverage();
for (let seed = first; seed < end; seed += stride) {
  const covered = new Set<CoveragePoint>();
  const broken = await outsideOfPromises(() => runSchedule(new Choices({ seed }), undefined, covered));
  if (broken !== undefined) {
    report({ seed, broken });
    break;
  }
  coverage.add(covered);
  if (++done === BATCH) flush();
}
flush();

function flush(): void {
  report({ done, covered: coverage.counts });
  done = 0;
  coverage = new Coverage();
}
