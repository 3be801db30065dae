import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { Command, InvalidArgumentError, Option } from 'commander';
import { Choices } from './choices.ts';
import { installClock } from './clock.ts';
import { GUARD_NAMES, removeGuard } from './guards.ts';
import { shrink } from './shrink.ts';
import type { Report, Work } from './worker.ts';

interface Options {
  readonly schedules: number;
  readonly seed: number;
  readonly without?: string;
}

const options = new Command('explore')
  .description('Runs the functions on a model of Kubernetes and OVN, under random schedules with random faults.')
  .option('--schedules <n>', 'how many', wholeNumber, 20_000)
  .option('--seed <n>', 'the first; each schedule has the seed after the one before', wholeNumber, 1)
  .addOption(new Option('--without <guard>', 'take a guard out of the hand-over').choices(GUARD_NAMES))
  .parse()
  .opts<Options>();

const startedAt = performance.now();
const failure = await explore(options);
const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
if (failure === undefined) {
  console.log(`PASSED  ${options.schedules} schedules from seed ${options.seed} broke no promise, in ${seconds} s`);
} else {
  console.log(`Seed ${failure.seed} breaks a promise: ${failure.broken}. Its story, made shorter:`);
  await tellShortest(failure.seed, options.without);
  console.log(`FAILED  seed ${failure.seed}: ${failure.broken}`);
  process.exitCode = 1;
}

/** Runs the schedules on all cores until one fails. @returns the one that failed, if one did */
async function explore({ schedules, seed, without }: Options): Promise<{ seed: number; broken: string } | undefined> {
  const threads = Math.min(availableParallelism(), schedules);
  let done = 0;
  let failure: { seed: number; broken: string } | undefined;
  const progress = setInterval(() => console.log(`${done} of ${schedules} schedules`), 5_000);
  const workers = Array.from({ length: threads }, (_, index) => {
    const workerData: Work = { first: seed + index, end: seed + schedules, stride: threads, without };
    return new Worker(new URL('./worker.ts', import.meta.url), { workerData });
  });
  const ended = workers.map(
    (worker) =>
      new Promise<void>((resolve, reject) => {
        worker.on('error', reject);
        worker.on('exit', () => resolve());
        worker.on('message', (report: Report) => {
          if ('done' in report) done += report.done;
          else {
            failure ??= report;
            for (const one of workers) void one.terminate();
          }
        });
      }),
  );
  try {
    await Promise.all(ended);
  } finally {
    clearInterval(progress);
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  return failure;
}

async function tellShortest(seed: number, without: string | undefined): Promise<void> {
  if (without !== undefined) removeGuard(without);
  const { runSchedule } = await import('./schedule.ts');
  installClock();
  const choices = new Choices({ seed });
  await runSchedule(choices);
  const replay = await shrink(runSchedule, choices.made);
  const story: string[] = [];
  const broken = await runSchedule(new Choices({ replay }), story);
  console.log([...story, `          =  ${broken}`].join('\n'));
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('expected a whole number');
  return Number(text);
}
