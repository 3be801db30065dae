/** What a cluster whose VMs run and do not migrate costs: events into the broker, functions woken, processors and memory. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { VMS } from '../lab/cluster/description.ts';
import { functionsAreCold } from '../lab/cluster/migrate/functions.ts';
import { standingCluster } from '../lab/cluster/standing.ts';
import { EventSink } from './cluster/event-sink.ts';
import { PodStarts } from './cluster/pod-starts.ts';
import { Meter } from './cluster/usage.ts';
import type { Benchmark, Series } from './harness/benchmark.ts';
import { positive } from './harness/options.ts';

const LOOK_EVERY_MS = 10_000;
/** What is there for the functions, and they themselves. */
const NAMESPACES = ['ovn-handover', 'knative-serving', 'knative-eventing'];
/** Its Trigger hears of the time, not of VMs. */
const SWEEP = 'reconcile';

export default {
  command: new Command('idle')
    .description('events, functions woken, processors and memory while VMs run and none migrates')
    .option('--minutes <n>', 'how long', positive, 10),
  async run({ minutes }: { minutes: number }, progress) {
    await using standing = await standingCluster(VMS, progress);
    const { cluster } = standing;
    await using sink = await EventSink.start(cluster);
    await functionsAreCold(cluster);
    await using starts = await PodStarts.watch(cluster);
    const meter = new Meter(cluster);
    const [since, before] = [Date.now(), (await sink.events()).length];
    for (const until = since + minutes * 60_000; Date.now() < until; await sleep(LOOK_EVERY_MS)) {
      await meter.look();
      progress(`${Math.ceil((until - Date.now()) / 60_000)} min left`);
    }
    await meter.look();
    const seconds = (Date.now() - since) / 1000;
    const events = (await sink.events()).slice(before);
    const woken = starts.since(since).map(({ service }) => service);
    const others = woken.filter((service) => service !== SWEEP);
    const usage = meter.usage();
    const series = NAMESPACES.flatMap((namespace): Series[] => {
      const { cpuSeconds = 0, workingSetMb = 0 } = usage.get(namespace) ?? {};
      return [
        { name: `${namespace}, of a core`, unit: '%', values: [(100 * cpuSeconds) / seconds] },
        { name: `${namespace}, working set`, unit: 'MB', values: [workingSetMb] },
      ];
    });
    return {
      setup: { minutes: seconds / 60, 'events into the broker': count(events), 'functions woken': count(woken) },
      series,
      limits: [{ what: `functions woken other than ${SWEEP}`, value: others.length, atMost: 0 }],
    };
  },
} satisfies Benchmark;

/** `3 × a, b`, or `none` */
function count(names: readonly string[]): string {
  const groups = [...Map.groupBy(names, (name) => name)].map(([name, same]) => `${same.length} × ${name}`);
  return groups.join(', ') || 'none';
}
