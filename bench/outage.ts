/**
 * What a client loses in a live migration of a real guest: by the functions, with both chassis open all along (the floor),
 * and without a hand-over (single), in turns on one testbed.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { RECORDED_PACE_MS } from '../lab/kubevirt/pace.ts';
import { brokenPromises, type MigrationResult, type Mode } from '../lab/migrate/result.ts';
import { runMigrations } from '../lab/migrate/run.ts';
import type { TestbedDescription } from '../lab/testbed/description.ts';
import { startTestbed } from '../lab/testbed/testbed.ts';
import { build } from '../testkit/function-process.ts';
import type { Benchmark, Series } from './harness/benchmark.ts';
import { positive } from './harness/options.ts';
import { Remaining } from './harness/remaining.ts';
import { median } from './harness/statistics.ts';

/** Migrations of one kind: who switches, and how late the events of Kubernetes are. */
export interface Arm {
  readonly mode: Mode;
  readonly delayMs: number;
}

/** Some migrations of an arm, there and back, on a control plane of their own. */
export interface Turn extends Arm {
  readonly migrations: number;
}

const DELAYS_MS = [0, 500, 2_000, 5_000];
/** A script opens both chassis for the floor: it waits for no event. */
const FLOOR: Arm = { mode: 'floor', delayMs: 0 };
const HANDOVERS = DELAYS_MS.map((delayMs): Arm => ({ mode: 'handover', delayMs }));
const LATEST = HANDOVERS.at(-1)!;
const SINGLE: Arm = { ...LATEST, mode: 'single' };
/** Most of a migration is waiting, in which nothing is measured: before and after it. */
const QUIET_MS = 500;

export default {
  command: new Command('outage')
    .description('what a client loses in a live migration: handover, floor and single, events up to 5 s late')
    .option('--rounds <n>', 'of 6 hand-overs for each delay, 6 floors and 2 singles', positive, 6),
  async run({ rounds }: { rounds: number }, progress) {
    build();
    const directory = await mkdtemp(join(tmpdir(), 'outage-'));
    const testbed = await startTestbed({ directory, prefix: 'outage', onProgress: progress });
    const results = new Results();
    const plan = Array.from({ length: rounds }, (_, round) => turns(round)).flat();
    const remaining = new Remaining(plan.map(expectedMs));
    try {
      for (const turn of plan) {
        progress(`${turn.migrations} × ${nameOf(turn)}; ${remaining.inWords()}`);
        results.add(turn, await measure(testbed, turn));
        remaining.oneDone();
      }
    } finally {
      await testbed.stop();
      await rm(directory, { recursive: true, force: true });
    }
    return { setup: { 'QEMU of the guest': results.qemu }, series: results.series(), limits: limits(results) };
  },
} satisfies Benchmark;

/**
 * One round: as many of each arm, so that the first of a turn, cold, weighs as much in each; another arm begins each round.
 * `single`, far from the others, takes another delay each time.
 */
export function turns(round: number): Turn[] {
  const arms = [LATEST, FLOOR, ...HANDOVERS.slice(0, -1)];
  const first = round % arms.length;
  const single: Arm = { mode: 'single', delayMs: DELAYS_MS.at(-1 - (round % DELAYS_MS.length))! };
  return [
    ...[...arms.slice(first), ...arms.slice(0, first)].map((arm) => ({ ...arm, migrations: 6 })),
    { ...single, migrations: 2 },
  ];
}

async function measure(testbed: TestbedDescription, { mode, delayMs, migrations }: Turn) {
  return runMigrations({
    testbed,
    mode,
    migrations,
    eventDelayMs: delayMs,
    paceMs: RECORDED_PACE_MS,
    // Functions are cold in the first migration of a turn, and warm in the others.
    idleMs: 60_000,
    quietMs: QUIET_MS,
    gate: true,
    onProgress: () => {},
    onMigration: () => {},
  });
}

/** The delay is waited for before the gate opens, and after the switch. */
function expectedMs({ mode, delayMs, migrations }: Turn): number {
  const delays = { handover: 2, single: 1, floor: 0 }[mode];
  return 10_000 + migrations * (RECORDED_PACE_MS + 2_500 + delays * delayMs);
}

export class Results {
  readonly #arms = new Map<string, MigrationResult[]>();
  qemu = 'unknown';

  add(arm: Arm, { migrations, versions }: Awaited<ReturnType<typeof measure>>): void {
    this.qemu = versions.qemu ?? this.qemu;
    this.#arms.set(nameOf(arm), [...this.of(arm), ...migrations]);
  }

  of(arm: Arm): readonly MigrationResult[] {
    return this.#arms.get(nameOf(arm)) ?? [];
  }

  outages(arm: Arm): number[] {
    return this.of(arm).map(({ interfaces }) => interfaces[0].outageMs);
  }

  /** Without what the guest itself stood still, which QEMU tells of each migration. */
  net(arm: Arm): number[] {
    return this.of(arm).flatMap(({ interfaces, guestBlackoutMs }) =>
      guestBlackoutMs === undefined ? [] : [interfaces[0].outageMs - guestBlackoutMs],
    );
  }

  series(): Series[] {
    const arms = [
      FLOOR,
      ...(['handover', 'single'] as const).flatMap((mode) => DELAYS_MS.map((delayMs) => ({ mode, delayMs }))),
    ];
    return arms
      .filter((arm) => this.of(arm).length > 0)
      .flatMap((arm) => [
        { name: nameOf(arm), unit: 'ms', values: this.outages(arm) },
        { name: '  net of the blackout', unit: 'ms', values: this.net(arm) },
      ]);
  }
}

export function limits(results: Results) {
  const medians = HANDOVERS.map((arm) => median(results.net(arm)));
  const broken = HANDOVERS.flatMap((arm) => results.of(arm)).flatMap(brokenPromises);
  const [latest, floor] = [results.net(LATEST), results.net(FLOOR)];
  return [
    {
      what: 'handover above floor, events 5 s late, net median, ms',
      value: median(latest) - median(floor),
      atMost: 10,
    },
    {
      what: 'handover above floor, events 5 s late, net worst, ms',
      value: Math.max(...latest) - Math.max(...floor),
      atMost: 50,
    },
    {
      what: 'single, x handover, events 5 s late, median',
      value: median(results.outages(SINGLE)) / median(results.outages(LATEST)),
      atLeast: 20,
    },
    {
      what: 'worst handover of all, ms',
      value: Math.max(...HANDOVERS.flatMap((arm) => results.outages(arm))),
      atMost: 500,
    },
    {
      what: 'between the delays of handover, net medians, ms',
      value: Math.max(...medians) - Math.min(...medians),
      atMost: 10,
    },
    {
      what: `promises broken by hand-overs${broken.length > 0 ? ` (${broken.join('; ')})` : ''}`,
      value: broken.length,
      atMost: 0,
    },
  ];
}

function nameOf({ mode, delayMs }: Arm): string {
  return mode === 'floor' ? 'floor' : `${mode}, events ${delayMs / 1_000} s late`;
}
