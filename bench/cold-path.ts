/**
 * From an object of Kubernetes that is written to the commit in OVN northbound, on a real cluster with the functions at zero and
 * with them warm, in turns with the function that `func` makes, which is woken there in the same way.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import type { ClusterDescription } from '../lab/cluster/description.ts';
import { kubectlIn } from '../lab/cluster/kubectl.ts';
import { functionsAreCold } from '../lab/cluster/migrate/functions.ts';
import { standingCluster } from '../lab/cluster/standing.ts';
import { migration } from '../lab/kubevirt/manifests.ts';
import { type BindingWatch, type WantedBinding, watchBindings } from '../lab/observe/bindings.ts';
import { Passages } from './cluster/passages.ts';
import { PodStarts } from './cluster/pod-starts.ts';
import { StockFunction } from './cluster/stock-function.ts';
import { wakingObject } from './cluster/stock-manifests.ts';
import { Writer } from './cluster/writer.ts';
import type { Benchmark, Series } from './harness/benchmark.ts';
import { positive } from './harness/options.ts';
import { median } from './harness/statistics.ts';

/** A new VirtualMachineInstanceMigration wakes two of ours, and its first update, which follows at once, the third. */
const WOKEN_AT_ONCE = 3;
const FUNCTION = 'reuse-port';
const WITHIN_MS = 120_000;
const TOLD_WITHIN_MS = 2_000;
/** After a migration, in which its source is taken down. */
const QUIET_MS = 10_000;

interface Path {
  /** Milliseconds from the object's being asked for; missing where a function was warm. */
  readonly steps: Readonly<Record<string, number | undefined>>;
  readonly answered: number;
  readonly committed?: number;
}

export default {
  command: new Command('cold-path')
    .description('from an object written to the commit on a real cluster, cold and warm, beside the stock function')
    .option('--runs <n>', 'of each, of which one takes about five minutes', positive, 10),
  async run({ runs }: { runs: number }, progress) {
    await using standing = await standingCluster(1, progress);
    const { cluster } = standing;
    progress("deploying func's stock function");
    await using stock = await StockFunction.deploy(cluster, WOKEN_AT_ONCE);
    await using bench = await Bench.start(cluster);
    const paths: Record<'stock' | 'cold' | 'warm', Path[]> = { stock: [], cold: [], warm: [] };
    for (let run = 1; run <= runs; run++) {
      progress(`run ${run} of ${runs}: stock function, cold`);
      await functionsAreCold(cluster);
      paths.stock.push(await bench.stock(stock.names[0]!));
      progress(`run ${run} of ${runs}: ${FUNCTION}, cold, then warm`);
      await functionsAreCold(cluster);
      paths.cold.push(await bench.migration());
      paths.warm.push(await bench.migration());
    }
    const committed = (of: readonly Path[]) => of.flatMap((path) => path.committed ?? []);
    return {
      setup: { 'functions that an event wakes at once': WOKEN_AT_ONCE },
      series: [
        ...stepSeries('stock', paths.stock),
        ...stepSeries(FUNCTION, paths.cold),
        { name: `${FUNCTION}, committed`, unit: 'ms', values: committed(paths.cold) },
        { name: `${FUNCTION} warm, committed`, unit: 'ms', values: committed(paths.warm) },
      ],
      limits: [
        {
          what: 'committed, x stock answered',
          value: median(committed(paths.cold)) / median(paths.stock.map(({ answered }) => answered)),
          atMost: 1.25,
        },
        { what: 'warm, committed, p50, ms', value: median(committed(paths.warm)), atMost: 60 },
      ],
    };
  },
} satisfies Benchmark;

/** All that watches a run. */
class Bench implements AsyncDisposable {
  readonly #cluster: ClusterDescription;
  readonly #parts = new AsyncDisposableStack();
  readonly #writer: Writer;
  readonly #starts: PodStarts;
  readonly #passages: Passages;
  readonly #bindings: BindingWatch;

  static async start(cluster: ClusterDescription): Promise<Bench> {
    return new Bench(
      cluster,
      await Writer.start(cluster),
      await PodStarts.watch(cluster),
      await watchBindings(cluster.testbed),
    );
  }

  private constructor(cluster: ClusterDescription, writer: Writer, starts: PodStarts, bindings: BindingWatch) {
    this.#cluster = cluster;
    this.#writer = this.#parts.use(writer);
    this.#starts = this.#parts.use(starts);
    this.#passages = this.#parts.use(new Passages(cluster));
    this.#bindings = bindings;
    this.#parts.defer(() => bindings.stop());
  }

  async stock(service: string): Promise<Path> {
    const { askedAt } = await this.#writer.create(wakingObject());
    return this.#pathOf(service, askedAt);
  }

  /** Migrates the VM, and waits for the end of it. */
  async migration(): Promise<Path> {
    const [{ name: vmiName, namespace }] = this.#cluster.testbed.vms;
    const { askedAt, name, uid } = await this.#writer.create(migration({ vmiName, namespace }));
    const isOfThis = ({ record }: WantedBinding) => record['handover-migration'] === uid;
    const committed = await this.#bindings.wanted.until(isOfThis, { timeoutMs: WITHIN_MS });
    const path = await this.#pathOf(FUNCTION, askedAt);
    await this.#ended(namespace, name);
    await sleep(QUIET_MS);
    return { ...path, committed: committed.at - askedAt };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
  }

  async #pathOf(service: string, askedAt: number): Promise<Path> {
    const passage = await this.#passages.first(service, askedAt, AbortSignal.timeout(WITHIN_MS));
    // A pod may be told Ready after its function has answered.
    await sleep(TOLD_WITHIN_MS);
    const since = (at: number | undefined) => (at === undefined ? undefined : at - askedAt);
    const pod = this.#starts.since(askedAt).find((start) => start.service === service);
    const arrivedAt = Date.parse(passage.at);
    return {
      steps: {
        'at the network layer': since(arrivedAt),
        'pod created': since(pod?.created),
        'pod scheduled': since(pod?.scheduled),
        'function started': since(pod?.started.get('user-container')),
        'queue-proxy started': since(pod?.started.get('queue-proxy')),
        'pod ready': since(pod?.ready),
      },
      answered: arrivedAt + passage.ms - askedAt,
    };
  }

  async #ended(namespace: string, name: string): Promise<void> {
    const succeeded = '--for=jsonpath={.status.phase}=Succeeded';
    await kubectlIn(this.#cluster, '-n', namespace, 'wait', 'vmim', name, succeeded, '--timeout=29s');
  }
}

function stepSeries(who: string, paths: readonly Path[]): Series[] {
  const names = Object.keys(paths[0]?.steps ?? {});
  const series = names.map((name): Series => {
    const values = paths.flatMap(({ steps }) => steps[name] ?? []);
    return { name: `${who}, ${name}`, unit: 'ms', values };
  });
  return [...series, { name: `${who}, answered`, unit: 'ms', values: paths.map(({ answered }) => answered) }];
}
