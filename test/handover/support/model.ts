import type { OvsdbClient } from 'ovsdb-client-ts';
import { ApiServer } from '../../../explore/kubernetes.ts';
import { Ovn } from '../../../explore/ovn.ts';
import { Vm } from '../../../explore/vm.ts';
import type { FunctionName } from '../../../handover/decision/desired.ts';
import { profileOf } from '../../../handover/decision/profile.ts';
import { Kubernetes } from '../../../handover/kubernetes/kubernetes.ts';
import { Northbound } from '../../../handover/ovn/northbound.ts';
import { Southbound } from '../../../handover/ovn/southbound.ts';
import { handOver, type World } from '../../../handover/reconcile.ts';
import type { Occasion } from '../../../handover/request.ts';

export const REFERENCE = { namespace: 'prod', name: 'vm0' };

/** A request to one of OVN's databases; what is thrown before it is carried out, or after it. */
export interface Request {
  readonly database: 'NB' | 'SB';
  readonly operations: Parameters<OvsdbClient['transact']>[0];
  readonly options: { readonly timeoutMs?: number } | undefined;
}

export function isWrite({ operations }: Request): boolean {
  return operations.some(({ op }) => op === 'mutate');
}

/**
 * The explorer's models of OVN and of the API server, with one VM that runs on `a`, and the project's own code on top:
 * for what is decided, where the real ones are too slow to be asked a thousand times. Nodes are a, b and c.
 */
export class Model {
  readonly ovn = new Ovn();
  readonly vm: Vm;
  readonly api: ApiServer;
  world: World;
  readonly requests: Request[] = [];
  /** What `kubectl describe vmi` would show. */
  readonly remarks: {
    readonly by: string;
    readonly type: string;
    readonly reason: string;
    readonly message: string;
  }[] = [];
  /** Called before a request is carried out; may throw, or change something first. */
  before: (request: Request) => void = () => {};
  /** Called after one was carried out. */
  after: (request: Request) => void = () => {};

  constructor({ ports = ['vm0.prod'], optedIn = true } = {}) {
    this.vm = new Vm(
      'vm0',
      ports.map((name) => this.ovn.addPort(name, { pod: 'prod/vm0' })),
    );
    this.api = new ApiServer([this.vm], Date.now, () => {});
    this.api.createEvent = async (_vmi?: unknown, by?: unknown, remark?: unknown) => {
      this.remarks.push({ by: String(by), ...(remark as { type: string; reason: string; message: string }) });
    };
    for (const node of ['a', 'b', 'c']) this.ovn.addChassis(node);
    this.api.createVmi(this.vm, 'a', optedIn);
    this.world = this.#cold();
  }

  /** The function starts anew: what it remembered is gone. */
  restart(): void {
    this.world = this.#cold();
    this.requests.length = 0;
  }

  /** Binding of a port as the database has it: chassis, strategy, and our record. */
  binding(port = this.vm.ports[0]!): string {
    const { options, externalIds } = port;
    const strategy = options['activation-strategy'];
    return `${options['requested-chassis'] ?? 'nothing'}${strategy ? ` by ${strategy}` : ''}, record ${externalIds['handover-binding'] ?? 'none'}`;
  }

  /** A migration that has a target pod, on a node if one is given. */
  migrate(node?: string, gated = false) {
    const vmim = this.api.createVmim(this.vm);
    const pod = this.api.createTarget(this.vm, vmim.metadata.uid, gated);
    if (node !== undefined) this.api.updatePod(this.vm, pod, {}, { nodeName: node }, { phase: 'Running' });
    return { vmim, pod, uid: vmim.metadata.uid };
  }

  /** Runs a function; by default for an event that has only the VMI. */
  call(name: FunctionName, occasion: Occasion = { vmi: REFERENCE, hint: undefined }) {
    return handOver(name, occasion, this.world);
  }

  writes(): Request[] {
    return this.requests.filter(isWrite);
  }

  /** The columns by which ports were looked for, each time in the whole table. */
  scans(): string[] {
    return this.requests
      .filter(({ database }) => database === 'NB')
      .flatMap(({ operations }) => operations.flatMap((each) => (each.op === 'select' ? [each.where[0]![0]] : [])))
      .filter((column) => column !== '_uuid');
  }

  #cold(): World {
    const profile = profileOf('kube-ovn', '');
    return {
      northbound: new Northbound(this.#client('NB'), profile),
      southbound: new Southbound(this.#client('SB')),
      kubernetes: new Kubernetes(this.api),
      profile,
      activationStrategy: 'rarp',
    };
  }

  #client(database: Request['database']): OvsdbClient {
    const transact = async (operations: Request['operations'], options: Request['options']) => {
      const request = { database, operations, options };
      this.requests.push(request);
      this.before(request);
      const { results } = this.ovn.transact(operations);
      this.after(request);
      return results;
    };
    return { transact } as unknown as OvsdbClient;
  }
}
