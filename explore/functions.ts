import type { Operation, OvsdbClient } from 'ovsdb-client-ts';
import { ConnectError, OutcomeUnknownError } from 'ovsdb-client-ts';
import type { EventFunction, Log } from '../functions/answering.ts';
import reconcile from '../functions/reconcile/index.ts';
import { stepFunction } from '../functions/step-function.ts';
import type { FunctionName } from '../handover/decision/desired.ts';
import { TryAgainError } from '../handover/decision/errors.ts';
import { profileOf } from '../handover/decision/profile.ts';
import { Kubernetes, type KubernetesApi } from '../handover/kubernetes/kubernetes.ts';
import { Northbound } from '../handover/ovn/northbound.ts';
import { Southbound } from '../handover/ovn/southbound.ts';
import type { World } from '../handover/reconcile.ts';
import type { Choices } from './choices.ts';
import type { Agenda } from './clock.ts';
import type { Situation } from './coverage.ts';
import type { ApiServer } from './kubernetes.ts';
import type { Tell } from './kubevirt.ts';
import type { Ovn } from './ovn.ts';
import type { Promises } from './promises.ts';

const PROFILE = profileOf('kube-ovn', '');
export const REQUEST_TIMEOUT_MS = 5_000;
/** One request in so many goes wrong. */
const FAULT_RATE = 1 / 60;
const FAULTS = [
  'is not sent',
  'gets no answer',
  'kills before',
  'kills after',
  'takes effect after the time-out',
] as const;
const SITUATION_OF: Record<(typeof FAULTS)[number], Situation> = {
  'is not sent': 'request fails',
  'gets no answer': 'outcome unknown',
  'kills before': 'process killed',
  'kills after': 'process killed',
  'takes effect after the time-out': 'outcome unknown',
};

export interface Surroundings {
  /** Whether a function has something to go on with since the schedule last let them run. */
  isTouched: boolean;
  readonly agenda: Agenda;
  readonly choices: Choices;
  readonly ovn: Ovn;
  readonly api: ApiServer;
  readonly promises: Promises;
  /** Whether requests may go wrong now. */
  readonly isFaulty: () => boolean;
  readonly tell: Tell | undefined;
  meet(situation: Situation): void;
  readonly onNorthboundChange: () => void;
}

/** One process of one function: the project's own code, and requests that the schedule carries out. */
export class Replica {
  readonly name: string;
  readonly answer: (event: unknown) => Promise<{ readonly statusCode: number; readonly body: string }>;
  isDead = false;
  /** Called when the process dies. */
  readonly onDeath = new Set<() => void>();
  readonly #around: Surroundings;

  constructor(step: FunctionName, number: number, around: Surroundings) {
    this.name = `${step}#${number}`;
    this.#around = around;
    const work: EventFunction = step === 'reconcile' ? reconcile : stepFunction(step);
    const world = Promise.resolve(this.#world());
    const log: Log = { info() {}, warn() {}, error: (message) => around.promises.break(`${this.name}: ${message}`) };
    this.answer = (event) => work(event, world, log);
  }

  #world(): World {
    const { ovn, api, promises, tell, onNorthboundChange } = this.#around;
    const transact = (database: string) => (operations: readonly Operation[]) => {
      const isWrite = operations.some(({ op }) => op === 'mutate');
      const sentAt = Date.now();
      const what = isWrite ? () => `${database} transact (${commentOf(operations)})` : () => `${database} select`;
      return this.#request(what, database, () => {
        const { results, changes } = ovn.transact(operations);
        if (changes.length === 0) return results;
        promises.written(changes, sentAt);
        onNorthboundChange();
        for (const { port } of changes) {
          tell?.(
            `${this.name} has bound ${port.name}: ${port.options['requested-chassis'] ?? 'nothing'}, record ${port.externalIds['handover-binding'] ?? 'none'}`,
          );
        }
        return results;
      });
    };
    const client = (database: string) => ({ transact: transact(database) }) as unknown as OvsdbClient;
    const ask = <Result>(verb: keyof KubernetesApi, carryOut: () => Promise<Result>) =>
      this.#request(() => verb, 'Kubernetes', carryOut);
    const asked: KubernetesApi = {
      listMigrations: (vmi) => ask('listMigrations', () => api.listMigrations(vmi)),
      getVmi: (vmi) => ask('getVmi', () => api.getVmi(vmi)),
      listLauncherPods: (namespace, uid) => ask('listLauncherPods', () => api.listLauncherPods(namespace, uid)),
      patchPod: (pod, patch) =>
        ask('patchPod', () => {
          const outcome = api.patchPod(pod, patch);
          tell?.(`${this.name} patches target pod`);
          return outcome;
        }),
      createEvent: () => ask('createEvent', () => api.createEvent()),
    };
    return {
      northbound: new Northbound(client('NB'), PROFILE),
      southbound: new Southbound(client('SB')),
      kubernetes: new Kubernetes(asked),
      profile: PROFILE,
      activationStrategy: 'rarp',
    };
  }

  /** Sends a request: it is carried out later, and answered later still, if all goes well. */
  #request<Result>(what: () => string, server: string, carryOut: () => Result | Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.isDead) return;
      const { agenda, choices, isFaulty } = this.#around;
      const fault = choices.chance(FAULT_RATE) && isFaulty() ? choices.pick(FAULTS) : undefined;
      if (fault !== undefined) return this.#spoil(fault, what, server, carryOut, reject);
      agenda.after(latency(choices), () => {
        if (this.isDead) return;
        let answer: () => void;
        try {
          const result = carryOut();
          answer = () => resolve(result);
        } catch (error) {
          answer = () => reject(error);
        }
        this.#hear(latency(choices), answer);
      });
    });
  }

  #spoil(
    fault: (typeof FAULTS)[number],
    what: () => string,
    server: string,
    carryOut: () => unknown,
    reject: (error: Error) => void,
  ): void {
    const { agenda, choices, tell, meet } = this.#around;
    meet(SITUATION_OF[fault]);
    tell?.(`${this.name}: ${what()} ${fault}`);
    const fail = (unknown: boolean) => () => {
      if (server === 'Kubernetes') reject(new TryAgainError(`Kubernetes API: ${what()}: away`));
      else reject(unknown ? new OutcomeUnknownError('transact', 'no answer') : new ConnectError('away'));
    };
    switch (fault) {
      case 'is not sent':
        this.#hear(latency(choices), fail(false));
        break;
      case 'takes effect after the time-out':
        this.#hear(REQUEST_TIMEOUT_MS, fail(true));
        agenda.after(REQUEST_TIMEOUT_MS + latency(choices), () => unheard(carryOut));
        break;
      case 'kills before':
        agenda.after(latency(choices), () => this.#die());
        break;
      case 'kills after':
        agenda.after(latency(choices), () => {
          if (this.isDead) return;
          unheard(carryOut);
          this.#die();
        });
        break;
      case 'gets no answer':
        agenda.after(latency(choices), () => {
          if (this.isDead) return;
          unheard(carryOut);
          this.#hear(latency(choices), fail(true));
        });
        break;
    }
  }

  /** Goes on in `ms` with what came of a request. */
  #hear(ms: number, act: () => void): void {
    this.#around.agenda.after(ms, () => {
      if (this.isDead) return;
      this.#around.isTouched = true;
      act();
    });
  }

  #die(): void {
    if (this.isDead) return;
    this.isDead = true;
    for (const act of this.onDeath) act();
  }
}

function commentOf(operations: readonly Operation[]): string {
  return operations.flatMap((operation) => (operation.op === 'comment' ? operation.comment : [])).join();
}

/** Carries out a request of which nobody hears how it went. */
function unheard(carryOut: () => unknown): void {
  try {
    carryOut();
  } catch {}
}

/** ms; mostly a few, sometimes as much as the shelf life of facts, never as much as a time-out. */
function latency(choices: Choices): number {
  return choices.chance(0.04) ? choices.pick([60, 400, 900, 1_500, 2_300]) : 1 + choices.below(8);
}
