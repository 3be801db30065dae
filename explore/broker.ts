import { mayRetry } from '../lab/knative/delivery.ts';
import { START } from './clock.ts';
import { type Delivery, describe } from './eventing.ts';
import type { Vm } from './model/vm.ts';
import { Process, type Surroundings } from './process.ts';

/** A function that no event came to for so long is scaled to zero. */
const IDLE_MS = 60_000;

/** An event under way, and the VMs that it makes a function look at. */
export interface Parcel extends Delivery {
  readonly vms: readonly Vm[];
}

export interface Answered {
  readonly by: Process;
  readonly statusCode: number;
  readonly body: string;
  /** When the function got the event. */
  readonly startedAt: number;
}

/** @param answer `undefined` where it was given up, by the function and by the dead letter sink of its Trigger */
export type OnAnswered = (parcel: Parcel, answer: Answered | undefined) => void;

/** The broker, with the functions behind it: brings each event until it is taken, and starts a function that is not there. */
export class Broker {
  readonly #around: Surroundings;
  readonly #processes = new Map<string, Process>();
  #count = 0;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  deliver(parcel: Parcel, onAnswered: OnAnswered, attempt = 0): void {
    const { agenda, narrate } = this.#around;
    const process = this.#processFor(parcel.step);
    const wait = process.startedAt - Date.now();
    if (wait > 0) {
      agenda.after(wait, () => this.#send(process, parcel, onAnswered, attempt));
      return;
    }
    this.#send(process, parcel, onAnswered, attempt);
    if (attempt > 0) narrate?.(`${process.name} gets ${describe(parcel)} again`);
  }

  #send(process: Process, parcel: Parcel, onAnswered: OnAnswered, attempt: number): void {
    const { narrate } = this.#around;
    const startedAt = Date.now();
    // An event that leads to nothing is no part of the story.
    const say = (what: string) =>
      narrate?.(`${process.name} ${what} ${describe(parcel)}, come at ${((startedAt - START) / 1000).toFixed(3)} s`);
    if (process.isDead) {
      this.#again(parcel, onAnswered, attempt);
      return;
    }
    const onDeath = () => {
      say('dies on');
      this.#again(parcel, onAnswered, attempt);
    };
    process.onDeath.add(onDeath);
    process.usedAt = startedAt;
    process.enter(parcel.vms);
    this.#around.isTouched = true;
    void process.answer(parcel.event).then(({ statusCode, body }) => {
      process.onDeath.delete(onDeath);
      if (process.isDead) return;
      // Of what a sweep could not do for a VM it says so in its answer.
      process.leave(parcel.vms, statusCode < 300 && !hasFailed(body));
      if (statusCode === 200) say('answers 200 to');
      if (mayRetry(statusCode)) {
        this.#around.disturb();
        say(`answers ${statusCode} (${body}) to`);
        return this.#again(parcel, onAnswered, attempt);
      }
      if (statusCode >= 400) this.#around.invariants.break(`${process.name} does not take a good event: ${body}`);
      onAnswered(parcel, { by: process, statusCode, body, startedAt });
    });
  }

  #again(parcel: Parcel, onAnswered: OnAnswered, attempt: number): void {
    const { agenda } = this.#around;
    const { delivery: policy, deadLetterSink } = parcel.trigger;
    if (attempt < policy.retries) {
      agenda.after(policy.wait(attempt), () => this.deliver(parcel, onAnswered, attempt + 1));
      return;
    }
    if (deadLetterSink === undefined || parcel.step === deadLetterSink.name) {
      onAnswered(parcel, undefined);
      return;
    }
    this.deliver({ ...parcel, step: deadLetterSink.name as Parcel['step'] }, onAnswered);
  }

  #processFor(step: Parcel['step']): Process {
    const { choices, cover } = this.#around;
    const slot = `${step} ${choices.chance(0.3) ? 1 : 0}`;
    const present = this.#processes.get(slot);
    if (present && !present.isDead && Date.now() - present.usedAt < IDLE_MS) return present;
    // From an event to a process that can take it: 1.1 to 6.3 s on a real Knative, after a crash no less.
    const startedAt = Date.now() + choices.pick([1_100, 1_600, 3_700, 6_300]);
    cover('cold start');
    const process = new Process(step, `${step}#${++this.#count}`, startedAt, this.#around);
    process.usedAt = startedAt;
    this.#processes.set(slot, process);
    return process;
  }
}

/** Whether `reconcile` says that it could not put a VM right. */
export function hasFailed(body: string): boolean {
  return /"failed":\[\{/.test(body);
}
