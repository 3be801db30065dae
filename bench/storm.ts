/** Many VMs that migrate at once: how late the functions are, and whether every port ends right. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { Command } from 'commander';
import { KubernetesHttp } from '../handover/kubernetes-http.ts';
import { SCHEDULING_GATE } from '../handover/kubevirt.ts';
import { ResourceWatch } from '../lab/knative/resource-watch.ts';
import { StandIn } from '../lab/stand-in.ts';
import { Cluster as RaftCluster } from '../packages/ovsdb-client-ts/test/support/cluster.ts';
import { addPorts } from '../packages/ovsdb-client-ts/test/support/northbound.ts';
import { TemporaryDirectory } from '../packages/ovsdb-client-ts/test/support/server.ts';
import { build } from '../test/functions/support/function.ts';
import { addChassis, OvnDatabase, watchTable } from '../test/handover/support/ovn.ts';
import { addPortBindings } from './crowd.ts';
import type { Benchmark, Findings } from './harness/benchmark.ts';
import { positive } from './harness/options.ts';
import { residentMb } from './harness/process.ts';
import { functionsWith, metricsOf } from './storm/functions.ts';
import { KubevirtVm, NAMESPACE } from './storm/kubevirt.ts';

const PATIENCE_MS = 300_000;

export default {
  command: new Command('storm')
    .description('many VMs migrate at once, one replica of each function, OVN northbound in raft of three')
    .option('--vms <n>', 'how many', positive, 1_000),
  async run({ vms }: { vms: number }, progress) {
    progress('building the functions');
    build();
    await using storm = await Storm.start(vms, progress);
    progress(`${vms} VMs migrate`);
    const migrations = await Promise.all(storm.vms.map((vm) => storm.migrate(vm)));
    progress('waiting until every event is answered');
    return await storm.findings(migrations);
  },
} satisfies Benchmark;

/** ms from what KubeVirt wrote to what it should lead to in OVN northbound. */
interface Migration {
  readonly admitted: number;
  readonly dual: number;
  readonly pinned: number;
}

interface Vm {
  readonly kubevirt: KubevirtVm;
  readonly port: string;
}

class Storm implements AsyncDisposable {
  readonly #parts = new AsyncDisposableStack();
  readonly #ports = new Changes<string>();
  readonly #pods = new Changes<boolean>();
  readonly vms: Vm[] = [];
  #directory!: string;

  static async start(vms: number, progress: (step: string) => void): Promise<Storm> {
    const storm = new Storm();
    try {
      await storm.#start(vms, progress);
    } catch (error) {
      await storm[Symbol.asyncDispose]();
      throw error;
    }
    return storm;
  }

  async #start(vms: number, progress: (step: string) => void): Promise<void> {
    const use = this.#parts.use.bind(this.#parts);
    this.#directory = use(new TemporaryDirectory()).path;
    progress('starting OVN NB in raft of three, and SB');
    const nb = use(await RaftCluster.start(JSON.parse(readFileSync('/usr/share/ovn/ovn-nb.ovsschema', 'utf8'))));
    await nb.waitForLeader();
    const sb = use(await OvnDatabase.start('sb'));
    addChassis(sb, 'chassis-a', 'worker-a', '10.0.0.1');
    addChassis(sb, 'chassis-b', 'worker-b', '10.0.0.2');
    await addPorts(nb.remote, 0, vms);
    await addPortBindings(sb.remote, vms);

    progress(`starting the Kubernetes API, and creating ${vms} VMs in it`);
    await this.#standIn('kubernetes-api', ['--kubeconfig', this.#kubeconfig]);
    const config = new KubeConfig();
    config.loadFromFile(this.#kubeconfig);
    const http = new KubernetesHttp('bench', config);
    this.vms.push(
      ...Array.from({ length: vms }, (_, n) => ({
        kubevirt: new KubevirtVm(http, `vm-${n}`),
        port: `vm-${n}.${NAMESPACE}`,
      })),
    );
    for (const { kubevirt } of this.vms) await kubevirt.create();

    progress("starting Knative's stand-ins");
    const databases = ['--env', `OVN_NB_REMOTE=${nb.remote}`, '--env', `OVN_SB_REMOTE=${sb.remote}`];
    const knative = ['--kubeconfig', this.#kubeconfig, '--log', this.#journal, '--idle', '600000', ...databases];
    await this.#standIn('knative', knative);
    const pods = {
      apiVersion: 'v1',
      kind: 'Pod',
      plural: 'pods',
      path: '/api/v1/pods',
      selector: 'kubevirt.io/migrationJobUID',
    };
    const watch = new ResourceWatch(pods, config, (_action, pod) => this.#pods.set(pod.metadata.name, isFree(pod)));
    await watch.start();
    this.#parts.defer(() => watch.stop());
    const [any] = nb.remote.split(',');
    use(
      await watchTable(any!, 'OVN_Northbound', 'Logical_Switch_Port', ['name', 'options'], ({ name, options }) =>
        this.#ports.set(String(name), requestedChassis(options)),
      ),
    );
  }

  /** KubeVirt's way through one migration, which waits for no function but at the gate. */
  async migrate({ kubevirt, port }: Vm): Promise<Migration> {
    const from = performance.now();
    await kubevirt.migrate();
    const admitted = await this.#pods.until(kubevirt.target, (free) => free);
    await kubevirt.schedule();
    const scheduled = performance.now();
    const dual = await this.#ports.until(port, (chassis) => chassis === 'chassis-a,chassis-b');
    await kubevirt.copy();
    await kubevirt.switch();
    const switched = performance.now();
    const pinned = await this.#ports.until(port, (chassis) => chassis === 'chassis-b');
    await kubevirt.succeed();
    return { admitted: admitted - from, dual: dual - scheduled, pinned: pinned - switched };
  }

  async findings(migrations: readonly Migration[]): Promise<Findings> {
    const deliveries = await this.#quiet();
    const functions = functionsWith(this.#kubeconfig);
    const metrics = await Promise.all(functions.map(metricsOf));
    const figure = (name: string, factor: number) => metrics.map((one) => (one.get(name) ?? Number.NaN) * factor);
    const failed = deliveries.filter(({ statuses }) => statuses.some((status) => status >= 500));
    const lost = deliveries.filter(({ statuses }) => statuses.at(-1)! >= 300);
    const wrong = this.vms.filter(({ port }) => this.#ports.get(port) !== 'chassis-b');
    const dual = migrations.map(({ dual }) => dual);
    return {
      setup: {
        functions: functions.map(({ step }) => step).join(', '),
        'events delivered': deliveries.length,
        'answered 5xx at first': failed.length,
        'not brought to success': lost.map(({ event }) => event).join('; ') || 'none',
      },
      series: [
        { name: 'from VMIM to gate open', unit: 'ms', values: migrations.map(({ admitted }) => admitted) },
        { name: 'from nodeName to dual', unit: 'ms', values: dual },
        { name: 'from switch to pinned', unit: 'ms', values: migrations.map(({ pinned }) => pinned) },
        {
          name: 'event loop delay, p99 of each function',
          unit: 'ms',
          values: figure('nodejs_eventloop_lag_p99_seconds', 1e3),
        },
        { name: 'event loop delay, longest', unit: 'ms', values: figure('nodejs_eventloop_lag_max_seconds', 1e3) },
        { name: 'memory of each function', unit: 'MB', values: functions.map(({ pid }) => residentMb(pid)) },
      ],
      limits: [
        { what: 'latest dual after its event, ms', value: Math.max(...dual), atMost: 10_000 },
        { what: 'ports that did not end pinned to the target', value: wrong.length, atMost: 0 },
        { what: 'events that no retry brought to success', value: lost.length, atMost: 0 },
      ],
    };
  }

  /** Each event for each function with its answers, once nothing has been delivered for two seconds. */
  async #quiet(): Promise<readonly { readonly event: string; readonly statuses: readonly number[] }[]> {
    for (let seen = -1, size = 0; seen !== size; await sleep(2_000)) {
      seen = size;
      size = readFileSync(this.#journal).length;
    }
    const entries = readFileSync(this.#journal, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const deliveries = entries.filter(({ kind }) => kind === 'delivery');
    const byEvent = Map.groupBy(deliveries, ({ eventId, trigger }) => `${eventId} ${trigger}`);
    return [...byEvent.values()].map((attempts) => {
      const { function: step, type, subject, body } = attempts.at(-1);
      const statuses = attempts.map(({ status }) => status);
      return { event: `${type} of ${subject} to ${step}: ${statuses} ${body ?? ''}`, statuses };
    });
  }

  async #standIn(folder: string, args: readonly string[]): Promise<void> {
    const program = new URL(`../lab/${folder}/main.ts`, import.meta.url);
    const standIn = await StandIn.start(folder, program, args, `${this.#directory}/${folder}.log`);
    this.#parts.defer(() => standIn.stop());
  }

  get #kubeconfig(): string {
    return `${this.#directory}/kubeconfig`;
  }

  get #journal(): string {
    return `${this.#directory}/knative.jsonl`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
  }
}

/** The newest value of each name, and those that wait for one. */
class Changes<Value> {
  readonly #values = new Map<string, Value>();
  readonly #waiting = new Map<string, () => void>();

  get(name: string): Value | undefined {
    return this.#values.get(name);
  }

  set(name: string, value: Value): void {
    this.#values.set(name, value);
    this.#waiting.get(name)?.();
  }

  /** @returns when the value was as wanted, by the clock of this process */
  async until(name: string, wanted: (value: Value) => boolean): Promise<number> {
    const timeout = setTimeout(() => {
      throw new Error(`${name} is still ${this.#values.get(name)} after ${PATIENCE_MS / 1000} s`);
    }, PATIENCE_MS);
    const done = Promise.withResolvers<void>();
    const check = () => {
      const value = this.#values.get(name);
      if (value !== undefined && wanted(value)) done.resolve();
    };
    this.#waiting.set(name, check);
    check();
    await done.promise;
    const at = performance.now();
    this.#waiting.delete(name);
    clearTimeout(timeout);
    return at;
  }
}

function isFree(pod: object): boolean {
  const { spec } = pod as { spec: { schedulingGates?: readonly { name: string }[] } };
  return !(spec.schedulingGates ?? []).some(({ name }) => name === SCHEDULING_GATE);
}

/** @param options a map in OVSDB's JSON notation */
function requestedChassis(options: unknown): string {
  const [, pairs] = options as ['map', [string, string][]];
  return new Map(pairs).get('requested-chassis') ?? '';
}
