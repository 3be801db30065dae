import { setTimeout as sleep } from 'node:timers/promises';
import { CloudEvent, HTTP } from 'cloudevents';
import { mayRetry } from './delivery.ts';
import type { Entry, Journal } from './journal.ts';
import { type Answer, postEvent } from './post-event.ts';
import type { Trigger } from './trigger.ts';

const LONGEST_BODY = 500;

/** Brings the events of one Trigger to its subscriber, each in its own time and in no order, as the channel does. */
export class Dispatcher {
  readonly trigger: Trigger;
  readonly #subscriberUrl: string;
  readonly #journal: Journal;
  readonly #signal: AbortSignal;

  /** @param signal - Ends every wait and every delivery; {@link deliver} then rejects. */
  constructor(trigger: Trigger, subscriberUrl: string, journal: Journal, signal: AbortSignal) {
    this.trigger = trigger;
    this.#subscriberUrl = subscriberUrl;
    this.#journal = journal;
    this.#signal = signal;
  }

  /** Sends an event until the answer is final, and gives the CloudEvent of the answer, if there is one. */
  async deliver(event: CloudEvent<unknown>): Promise<CloudEvent<unknown> | undefined> {
    const { delivery } = this.trigger;
    for (let retry = 0; ; retry++) {
      const { status, reply, retryAfter } = await this.#attempt(event, retry + 1);
      if (status < 300) return reply;
      if (!mayRetry(status) || retry === delivery.retries) {
        this.#log(event, { kind: 'dropped', status, attempt: retry + 1 });
        return undefined;
      }
      await sleep(delivery.wait(retry, { status, retryAfter }), undefined, { signal: this.#signal });
    }
  }

  async #attempt(event: CloudEvent<unknown>, attempt: number) {
    const started = performance.now();
    const answer = await postEvent(this.#subscriberUrl, event, {
      headers: { prefer: 'reply', 'kn-namespace': this.trigger.namespace },
      timeout: this.trigger.delivery.timeout,
      signal: this.#signal,
    });
    const { status, reply, body } = verdict(answer);
    this.#log(event, {
      kind: 'delivery',
      status,
      attempt,
      ms: Math.round(performance.now() - started),
      ...(body !== '' && { body: body.slice(0, LONGEST_BODY) }),
    });
    return { status, reply, retryAfter: answer.headers.get('retry-after') };
  }

  #log(event: CloudEvent<unknown>, { kind, ...entry }: Entry): void {
    const { name, subscriber } = this.trigger;
    const { id: eventId, type, subject } = event;
    this.#journal({ kind, function: subscriber.name, trigger: name, eventId, type, subject, ...entry });
  }
}

/**
 * What the broker makes of an answer: no answer is a 500; a success with a body that is no CloudEvent is a 502.
 * `body` is what is worth a line in the log.
 */
function verdict(answer: Answer): { status: number; reply: CloudEvent<unknown> | undefined; body: string } {
  const { status = 500, body } = answer;
  const headers = Object.fromEntries(answer.headers);
  if (status >= 300) return { status, reply: undefined, body };
  const isEvent = 'ce-specversion' in headers || headers['content-type']?.startsWith('application/cloudevents');
  if (!isEvent) {
    if (body === '') return { status, reply: undefined, body };
    return { status: 502, reply: undefined, body: `answered ${status} with a body that is no CloudEvent: ${body}` };
  }
  try {
    const reply = HTTP.toEvent<unknown>({ headers, body });
    if (!(reply instanceof CloudEvent)) throw new Error('a batch of events');
    reply.validate();
    return { status, reply, body: '' };
  } catch (error) {
    return { status: 502, reply: undefined, body: `answered ${status} with a bad CloudEvent: ${String(error)}` };
  }
}
