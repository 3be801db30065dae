import { availableParallelism } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import { Choices } from './choices.ts';
import { installClock } from './clock.ts';
import { Coverage } from './coverage.ts';
import { GUARDS } from './guards.ts';
import { outsideOfPromises } from './microtasks.ts';
import { GUARD_NAMES, removeGuard } from './remove-guard.ts';
import { type Failure, runInThread } from './run.ts';
import { shrink } from './shrink.ts';

interface Options {
  readonly schedules: number;
  readonly seed?: number;
  readonly without?: string;
  readonly guards?: true;
}

const options = new Command('explore')
  .description('Runs the functions on a model of Kubernetes and OVN, under random schedules with random faults.')
  .option('--schedules <n>', 'how many', wholeNumber, 20_000)
  .option('--seed <n>', 'the first; each schedule has the seed after the one before (default: 1)', wholeNumber)
  .addOption(new Option('--without <guard>', 'take a guard out of the hand-over').choices(GUARD_NAMES))
  .option(
    '--guards',
    'take out one guard after the other, from the seed at which that was seen to fail, or from --seed',
  )
  .parse()
  .opts<Options>();

const startedAt = performance.now();
const isGood = options.guards ? await missEveryGuard(options) : await holdEveryInvariant(options);
process.exitCode = isGood ? 0 : 1;

/** Runs the schedules on all cores until one fails, and prints that one's story. */
async function holdEveryInvariant({ schedules, seed = 1, without }: Options): Promise<boolean> {
  const threads = Math.min(availableParallelism(), schedules);
  const failed = new AbortController();
  const coverage = new Coverage();
  let done = 0;
  let failure: Failure | undefined;
  const progress = setInterval(() => console.log(`${done} of ${schedules} schedules`), 5_000);
  await Promise.all(
    Array.from({ length: threads }, async (_, index) => {
      const work = { first: seed + index, end: seed + schedules, stride: threads, without };
      const found = await runInThread(work, failed.signal, (more, covered) => {
        done += more;
        coverage.merge(covered);
      });
      failure ??= found;
      if (found) failed.abort();
    }),
  ).finally(() => clearInterval(progress));

  if (failure === undefined) {
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
    console.log(`${coverage}\nPASSED  ${schedules} schedules from seed ${seed} broke no invariant, in ${seconds} s`);
    return true;
  }
  console.log(`Seed ${failure.seed} breaks an invariant: ${failure.broken}. Its story, made shorter:`);
  await printShortest(failure.seed, without);
  console.log(`FAILED  seed ${failure.seed}: ${failure.broken}`);
  return false;
}

/** Runs the schedules without each guard in turn: all must fail. */
async function missEveryGuard({ schedules, seed }: Options): Promise<boolean> {
  const guards = Object.entries(GUARDS).values();
  let unmissed = 0;
  const next = async () => {
    for (const [without, guard] of guards) {
      const first = seed ?? guard.seed;
      const failure = await findMissing(without, first, first + schedules);
      if (failure === undefined) unmissed++;
      console.log(
        failure
          ? `${without.padEnd(18)} seed ${failure.seed}, schedule ${failure.seed - first + 1}: ${failure.broken}\n${' '.repeat(19)}(${guard.prevents})`
          : `${without.padEnd(18)} NOT MISSED in ${schedules} schedules from seed ${first} (${guard.prevents})`,
      );
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, next));
  const count = Object.keys(GUARDS).length;
  console.log(
    unmissed === 0
      ? `PASSED  each of ${count} guards is missed`
      : `FAILED  ${unmissed} of ${count} guards are not missed`,
  );
  return unmissed === 0;
}

/** The first schedule that breaks an invariant only without the guard: one that breaks it with the guard too proves nothing. */
async function findMissing(without: string, first: number, end: number): Promise<Failure | undefined> {
  const { signal } = new AbortController();
  for (let next = first; next < end; ) {
    const failure = await runInThread({ first: next, end, stride: 1, without }, signal);
    if (failure === undefined) return undefined;
    next = failure.seed + 1;
    const same = await runInThread({ first: failure.seed, end: next, stride: 1, without: undefined }, signal);
    if (same === undefined) return failure;
  }
  return undefined;
}

async function printShortest(seed: number, without: string | undefined): Promise<void> {
  if (without !== undefined) removeGuard(without);
  const { runSchedule } = await import('./schedule.ts');
  installClock();
  Error.stackTraceLimit = 0;
  await outsideOfPromises(() => {
    const choices = new Choices({ seed });
    runSchedule(choices);
    const replay = shrink(runSchedule, choices.made);
    const story: string[] = [];
    const broken = runSchedule(new Choices({ replay }), story);
    console.log([...story, `          =  ${broken}`].join('\n'));
  });
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('expected a whole number');
  return Number(text);
}
