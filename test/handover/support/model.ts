import { jest } from '@jest/globals';
import type { OvsdbClient } from 'ovsdb-client-ts';
import { ApiServer } from '../../../explore/model/api-server.ts';
import { clientOf } from '../../../explore/model/client.ts';
import { Northbound as NorthboundModel, type Port, type PortColumns } from '../../../explore/model/northbound.ts';
import type { Pod } from '../../../explore/model/objects.ts';
import { RestApi } from '../../../explore/model/rest.ts';
import { Southbound as SouthboundModel } from '../../../explore/model/southbound.ts';
import { Vm } from '../../../explore/model/vm.ts';
import type { FunctionName } from '../../../handover/decision/desired.ts';
import { type Profile, profileOf } from '../../../handover/decision/profile.ts';
import { kubernetesClient } from '../../../handover/kubernetes/client.ts';
import type { HttpRequest } from '../../../handover/kubernetes/http.ts';
import { Kubernetes } from '../../../handover/kubernetes/kubernetes.ts';
import type { Log, LogFields } from '../../../handover/kubernetes/log.ts';
import type { World } from '../../../handover/observe.ts';
import { Northbound } from '../../../handover/ovn/northbound.ts';
import { Southbound } from '../../../handover/ovn/southbound.ts';
import { type ReconcileResult, reconcile } from '../../../handover/reconcile.ts';
import type { ReconcileRequest } from '../../../handover/request.ts';

export const REFERENCE = { namespace: 'prod', name: 'vm0' };

/** A request to one of OVN's databases; what is thrown before it is carried out, or after it. */
export interface Request {
  readonly database: 'NB' | 'SB';
  readonly operations: Parameters<OvsdbClient['transact']>[0];
}

/** What `kubectl describe vmi` would show. */
export interface ShownEvent {
  readonly by: string;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
}

export interface ModelOptions {
  readonly ports?: readonly string[];
  readonly optedIn?: boolean;
  readonly profile?: Profile;
}

export function isWrite({ operations }: Request): boolean {
  return operations.some(({ op }) => op === 'mutate');
}

/**
 * The explorer's models of OVN and of the API server, with one VM that runs on `a`, and the project's own code on top:
 * for what is decided, where the real ones are too slow to be asked a thousand times. Nodes are a, b and c. Its time stands
 * still, but for what a function sleeps.
 */
export class Model {
  readonly northbound = new NorthboundModel();
  readonly southbound = new SouthboundModel();
  readonly vm: Vm;
  readonly api: ApiServer;
  readonly rest: RestApi;
  readonly profile: Profile;
  world: World;
  readonly requests: Request[] = [];
  /** Requests to the Kubernetes API. */
  readonly exchanges: HttpRequest[] = [];
  readonly events: ShownEvent[] = [];
  readonly lines: string[] = [];
  /** Called before a request is carried out; may throw, or change something first. */
  before: (request: Request) => void = () => {};
  /** Called after one was carried out. */
  after: (request: Request) => void = () => {};
  /** The same of requests to the Kubernetes API. */
  beforeExchange: (request: HttpRequest) => void = () => {};
  /** Called when a function has slept. */
  onSleep: (ms: number) => void = () => {};

  constructor({ ports = ['vm0.prod'], optedIn = true, profile = profileOf('kube-ovn', '') }: ModelOptions = {}) {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    this.profile = profile;
    this.vm = new Vm('vm0', []);
    this.api = new ApiServer([this.vm], () => {});
    for (const name of ports) this.addPort(name);
    this.rest = new RestApi(this.api);
    this.rest.onEvent = ({ reportingController, type, reason, note }) => {
      this.events.push({ by: reportingController.replace('ovn-handover.dev/', ''), type, reason, message: note });
    };
    for (const node of ['a', 'b', 'c']) this.southbound.addChassis(`chassis-${node}`, node);
    this.api.createVmi(this.vm, 'a', optedIn);
    this.world = this.coldWorld();
  }

  /** The VM gets another interface. */
  addPort(name: string): Port {
    const port = this.northbound.addPort(name, { pod: 'prod/vm0' });
    this.vm.ports.push(port);
    this.southbound.addBinding(port, this.vm);
    this.api.interfaceAdded(this.vm);
    return port;
  }

  get port(): Port {
    return this.vm.ports[0]!;
  }

  /** The function starts anew: what it remembered is gone. */
  restart(): void {
    this.world = this.coldWorld();
    this.requests.length = 0;
  }

  /** Somebody else writes to a port. */
  write(columns: Partial<PortColumns>, port = this.port): void {
    port.write(columns);
    this.southbound.pass();
  }

  /** Binding of a port as the database has it: chassis, strategy, and our record. */
  binding(port = this.port): string {
    const { options } = port;
    const strategy = options['activation-strategy'];
    return `${options['requested-chassis'] ?? 'nothing'}${strategy ? ` by ${strategy}` : ''}, record ${options['handover-binding'] ?? 'none'}`;
  }

  /** A migration that has a target pod, on a node if one is given. */
  migrate(node?: string, gated = false) {
    const vmim = this.api.createVmim(this.vm, true);
    const pod = this.api.createTarget(this.vm, vmim, gated);
    if (node !== undefined) this.plug(pod, node);
    return { vmim, pod, uid: vmim.metadata.uid };
  }

  /** The scheduler gives a target its node, and it plugs in there. */
  plug(pod: Pod, node: string): void {
    this.api.updatePod(this.vm, pod, { spec: { nodeName: node }, status: { phase: 'Running' } });
    this.vm.taps.set(pod.metadata.uid, node);
    this.southbound.pass();
  }

  setPhase(uid: string, phase: string): void {
    this.api.updateVmim(this.vm, uid, {}, { phase });
  }

  /** The guest runs in the target, and its migration is over. The pod that it has left goes on for a while. */
  succeed({ uid, pod }: { readonly uid: string; readonly pod: Pod }): void {
    this.api.markReady(this.vm, pod);
    this.api.updateVmi(this.vm, { nodeName: this.vm.podNow(pod).spec.nodeName! });
    this.setPhase(uid, 'Succeeded');
  }

  /** Runs a function; by default for an event that has only the VMI. */
  call(name: FunctionName, request: ReconcileRequest = { vmi: REFERENCE }, world = this.world) {
    return reconcile(name, request, world, this.log);
  }

  /** Lines of the log, each with its fields. */
  readonly logged: (LogFields & { readonly level: string; readonly message: string })[] = [];

  readonly log = Object.fromEntries(
    (['debug', 'info', 'warn', 'error'] as const).map((level) => [
      level,
      (fields: LogFields, message: string) => {
        this.lines.push(`${level} ${message}`);
        this.logged.push({ level, ...fields, message });
      },
    ]),
  ) as unknown as Log;

  /** Time goes by. */
  advance(ms: number): void {
    jest.advanceTimersByTime(ms);
  }

  requestsTo(method: HttpRequest['method']): HttpRequest[] {
    return this.exchanges.filter((request) => request.method === method);
  }

  writes(): Request[] {
    return this.requests.filter(isWrite);
  }

  reasons(): string[] {
    return this.events.map(({ reason }) => reason);
  }

  warnings(): ShownEvent[] {
    return this.events.filter(({ type }) => type === 'Warning');
  }

  /** The columns by which ports were looked for, each time in the whole table. */
  scans(): string[] {
    return this.requests
      .filter(({ database }) => database === 'NB')
      .flatMap(({ operations }) => operations.flatMap((each) => (each.op === 'select' ? [each.where[0]![0]] : [])))
      .filter((column) => column !== '_uuid');
  }

  /** Another process: it remembers nothing, and is as it should be. */
  coldWorld(): World {
    return {
      northbound: new Northbound(this.#client('NB'), this.profile),
      southbound: new Southbound(this.#client('SB')),
      kubernetes: new Kubernetes(
        kubernetesClient(async (request) => {
          this.exchanges.push(request);
          this.beforeExchange(request);
          return this.rest.serve(request);
        }),
      ),
      profile: this.profile,
      activationStrategy: 'rarp',
      sleep: async (ms) => {
        jest.advanceTimersByTime(ms);
        this.onSleep(ms);
      },
    };
  }

  #client(database: Request['database']): OvsdbClient {
    const transact = async (operations: Request['operations']) => {
      const request = { database, operations };
      this.requests.push(request);
      this.before(request);
      const results =
        database === 'NB' ? this.northbound.transact(operations).results : this.southbound.transact(operations);
      if (isWrite(request)) this.southbound.pass();
      this.after(request);
      return results;
    };
    return clientOf(transact);
  }
}

/** Rules by which changes were made. */
export function rulesOf({ changes }: Pick<ReconcileResult, 'changes'>): string[] {
  return changes.map(({ wanted }) => wanted.rule);
}
