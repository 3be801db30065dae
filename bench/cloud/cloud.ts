import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { gatesOf, type Pod } from '../../handover/decision/kubevirt.ts';
import { httpsExchange } from '../../handover/kubernetes/http.ts';
import { ResourceWatch } from '../../lab/knative/resource-watch.ts';
import { StandIn } from '../../lab/stand-in.ts';
import { addChassis, OvnDatabase, watchTable } from '../../testkit/ovn.ts';
import { addPorts, RaftCluster, TemporaryDirectory } from '../../testkit/ovsdb.ts';
import { cpuMs } from '../harness/process.ts';
import { Changes } from './changes.ts';
import { CloudVm, NAMESPACE } from './cloud-vm.ts';
import { functionsWith, type RunningFunction } from './functions.ts';
import { addPortBindings } from './port-bindings.ts';

const PODS = { apiVersion: 'v1', kind: 'Pod', plural: 'pods', path: '/api/v1/pods' } as const;
/** V8 makes of the memory limit in `func.yaml` what it makes of this; without it V8 takes what this machine has. */
const CONTAINER = 'NODE_OPTIONS=--max-heap-size=384';
/** Longer than any benchmark: the functions stay. */
const IDLE_MS = 24 * 3_600_000;

/** An event for one function. */
export interface Delivery {
  readonly step: string;
  /** Name of the object that it tells of; empty for a ping. */
  readonly object: string;
  /** When the broker sent it first, ms since the epoch. */
  readonly sentAt: number;
  /** All of it in words, with its last answer. */
  readonly event: string;
  /** HTTP status of each attempt. */
  readonly statuses: readonly number[];
}

/**
 * Many VMs, and all that their events pass: the Kubernetes API, Knative's source, broker and activator as the lab has them,
 * one replica of each function, OVN northbound in raft of three. No node, so nobody claims a port.
 */
export class Cloud implements AsyncDisposable {
  readonly #parts = new AsyncDisposableStack();
  /** `requested-chassis` by the port's name. */
  readonly requested = new Changes<string>();
  /** Whether a target pod is free to go to the scheduler, by its name. */
  readonly ungated = new Changes<boolean>();
  readonly vms: CloudVm[] = [];
  readonly #standIns: { readonly name: string; readonly pid: number }[] = [];
  nb!: RaftCluster;
  #directory!: string;

  static async start(vms: number, progress: (step: string) => void): Promise<Cloud> {
    const cloud = new Cloud();
    try {
      await cloud.#start(vms, progress);
    } catch (error) {
      await cloud[Symbol.asyncDispose]();
      throw error;
    }
    return cloud;
  }

  async #start(vms: number, progress: (step: string) => void): Promise<void> {
    const parts = this.#parts;
    this.#directory = parts.use(new TemporaryDirectory()).path;
    progress('starting OVN NB in raft of three, and SB');
    const schema = JSON.parse(readFileSync('/usr/share/ovn/ovn-nb.ovsschema', 'utf8'));
    this.nb = parts.use(await RaftCluster.start(schema));
    await this.nb.waitForLeader();
    const sb = parts.use(await OvnDatabase.start('sb'));
    addChassis(sb, 'chassis-a', 'worker-a', '10.0.0.1');
    addChassis(sb, 'chassis-b', 'worker-b', '10.0.0.2');
    await addPorts(this.nb.remote, 0, vms);
    await addPortBindings(sb.remote, vms);

    progress("starting the Kubernetes API, and Knative's source, broker and activator");
    await this.#standIn('Kubernetes', 'kubernetes-api', []);
    const settings = [`OVN_NB_REMOTE=${this.nb.remote}`, `OVN_SB_REMOTE=${sb.remote}`, CONTAINER];
    const env = settings.flatMap((setting) => ['--env', setting]);
    await this.#standIn('Knative', 'knative', ['--log', this.#journal, '--idle', `${IDLE_MS}`, ...env]);

    const config = new KubeConfig();
    config.loadFromFile(this.#kubeconfig);
    const exchange = httpsExchange('bench', config);
    this.vms.push(...Array.from({ length: vms }, (_, n) => new CloudVm(exchange, `vm-${n}`)));
    const watch = new ResourceWatch({ ...PODS, selector: 'kubevirt.io/migrationJobUID' }, config, (_action, pod) =>
      this.ungated.set(pod.metadata.name, gatesOf(pod as unknown as Pod).length === 0),
    );
    await watch.start();
    parts.defer(() => watch.stop());
    const [member] = this.nb.remote.split(',');
    const columns = ['name', 'options'];
    parts.use(
      await watchTable(member!, 'OVN_Northbound', 'Logical_Switch_Port', columns, ({ name, options }) =>
        this.requested.set(String(name), requestedChassis(options)),
      ),
    );
  }

  /** The functions that run. */
  functions(): RunningFunction[] {
    return functionsWith(this.#kubeconfig);
  }

  /** The CPU time that each part has taken, ms; Kubernetes and Knative are those of the lab. */
  cpu(): Readonly<Record<string, number>> {
    const sum = (pids: readonly number[]) => pids.reduce((total, pid) => total + cpuMs(pid), 0);
    return {
      functions: sum(this.functions().map(({ pid }) => pid)),
      'OVN NB': sum(this.nb.members.map(({ pid }) => pid!)),
      ...Object.fromEntries(this.#standIns.map(({ name, pid }) => [name, cpuMs(pid)])),
      'this process': cpuMs(process.pid),
    };
  }

  /** Waits until nothing has been delivered for two seconds. @returns all that was delivered so far */
  async deliveries(): Promise<readonly Delivery[]> {
    for (let seen = -1, size = 0; seen !== size; await sleep(2_000)) {
      seen = size;
      size = readFileSync(this.#journal).length;
    }
    const lines = readFileSync(this.#journal, 'utf8').trimEnd().split('\n');
    const entries = lines.map((line) => JSON.parse(line)).filter(({ kind }) => kind === 'delivery');
    return [...Map.groupBy(entries, ({ eventId, trigger }) => `${eventId} ${trigger}`).values()].map((attempts) => {
      const [{ at, ms }] = attempts;
      const { function: step, type, subject = '', body } = attempts.at(-1);
      const statuses = attempts.map(({ status }) => status);
      return {
        step,
        object: subject.slice(subject.lastIndexOf('/') + 1),
        sentAt: Date.parse(at) - ms,
        event: `${type} of ${subject} to ${step}: ${statuses} ${body ?? ''}`,
        statuses,
      };
    });
  }

  async #standIn(name: string, folder: string, args: readonly string[]): Promise<void> {
    const program = new URL(`../../lab/${folder}/main.ts`, import.meta.url);
    const all = ['--kubeconfig', this.#kubeconfig, ...args];
    const standIn = await StandIn.start(folder, program, all, `${this.#directory}/${folder}.log`);
    this.#parts.defer(() => standIn.stop());
    this.#standIns.push({ name, pid: standIn.pid! });
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

/** The name of a VM's port, as `addPorts` makes it. */
export function portOf(vm: CloudVm): string {
  return `${vm.name}.${NAMESPACE}`;
}

/** @param options a map in OVSDB's JSON notation */
function requestedChassis(options: unknown): string {
  const [, pairs] = options as ['map', [string, string][]];
  return new Map(pairs).get('requested-chassis') ?? '';
}
