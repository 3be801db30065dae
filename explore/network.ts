import type { Choices } from './choices.ts';
import type { Agenda } from './clock.ts';
import type { CoveragePoint } from './coverage.ts';

/** A function gives up waiting for an answer after this. */
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
type Fault = (typeof FAULTS)[number];

const POINT_OF: Readonly<Record<Fault, CoveragePoint>> = {
  'is not sent': 'request fails',
  'gets no answer': 'commit unknown',
  'kills before': 'process killed',
  'kills after': 'process killed',
  'takes effect after the time-out': 'commit unknown',
};

export interface Network {
  /** Whether a function has something to go on with since the schedule last let them run. */
  isTouched: boolean;
  readonly agenda: Agenda;
  readonly choices: Choices;
  /** Whether requests may go wrong now. */
  isFaulty(): boolean;
  /** Something held a request or an event up. */
  disturb(): void;
  readonly narrate: ((line: string) => void) | undefined;
  cover(point: CoveragePoint): void;
}

export interface Sender {
  readonly name: string;
  readonly isDead: boolean;
  die(): void;
}

export interface Request<Result> {
  readonly server: 'OVN' | 'Kubernetes';
  /** For the story. */
  what(): string;
  /** @param isHeard whether whoever sent it gets to know what came of it */
  carryOut(isHeard: boolean): Result;
}

/**
 * Sends a request: it is carried out later, and answered later still, if all goes well.
 * @param errorOf what the sender gets where it is not; whether it may have been carried out
 */
export function sendOver<Result>(
  network: Network,
  sender: Sender,
  request: Request<Result>,
  errorOf: (isUnknown: boolean) => Error,
): Promise<Result> {
  const { agenda, choices } = network;
  return new Promise((resolve, reject) => {
    if (sender.isDead) return;
    /** Lets the sender go on in `ms`. */
    const hear = (ms: number, act: () => void) =>
      agenda.after(ms, () => {
        if (sender.isDead) return;
        network.isTouched = true;
        act();
      });
    const fault = choices.chance(FAULT_RATE) && network.isFaulty() ? choices.pick(FAULTS) : undefined;
    if (fault !== undefined) {
      network.disturb();
      network.cover(POINT_OF[fault]);
      network.narrate?.(`${sender.name}: ${request.what()} ${fault}`);
      return spoil(network, sender, request, fault, (ms, isUnknown) => hear(ms, () => reject(errorOf(isUnknown))));
    }
    agenda.after(latency(network), () => {
      if (sender.isDead) return;
      let answer: () => void;
      try {
        const result = request.carryOut(true);
        answer = () => resolve(result);
      } catch (error) {
        answer = () => reject(error);
      }
      hear(latency(network), answer);
    });
  });
}

function spoil<Result>(
  network: Network,
  sender: Sender,
  request: Request<Result>,
  fault: Fault,
  fail: (ms: number, isUnknown: boolean) => void,
): void {
  const { agenda } = network;
  const ms = latency(network);
  switch (fault) {
    case 'is not sent':
      fail(ms, false);
      break;
    case 'takes effect after the time-out':
      fail(REQUEST_TIMEOUT_MS, true);
      agenda.after(REQUEST_TIMEOUT_MS + ms, () => carryOutUnheard(request));
      break;
    case 'kills before':
      agenda.after(ms, () => sender.die());
      break;
    case 'kills after':
      agenda.after(ms, () => {
        if (sender.isDead) return;
        carryOutUnheard(request);
        sender.die();
      });
      break;
    case 'gets no answer':
      agenda.after(ms, () => {
        if (sender.isDead) return;
        carryOutUnheard(request);
        fail(latency(network), true);
      });
      break;
  }
}

function carryOutUnheard(request: Request<unknown>): void {
  try {
    request.carryOut(false);
  } catch {}
}

/** ms; mostly a few, sometimes as much as facts may be old, never as much as a time-out. */
function latency({ choices, disturb }: Network): number {
  if (!choices.chance(0.04)) return 1 + choices.below(8);
  disturb();
  return choices.pick([60, 400, 900, 1_500, 2_300]);
}
