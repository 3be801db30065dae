import { setTimeout as sleep } from 'node:timers/promises';
import { CloudEvent, HTTP } from 'cloudevents';
import { mayRetry } from './delivery.ts';
import type { Entry, Journal } from './journal.ts';
import { type Answer, postEvent } from './post-event.ts';
import type { Trigger } from './trigger.ts';

const LONGEST_BODY = 500;
const LONGEST_ERROR_DATA = 1024;

/** Where the events of a Trigger go to. */
export interface Destination {
  /** Of the Service. */
  readonly name: string;
  readonly url: string;
}

/** Brings the events of one Trigger to its subscriber, each in its own time and in no order, as the channel does. */
export class Dispatcher {
  readonly trigger: Trigger;
  readonly #subscriber: Destination;
  readonly #deadLetterSink: Destination | undefined;
  readonly #journal: Journal;
  readonly #signal: AbortSignal;

  /** @param signal - Ends every wait and every delivery; {@link deliver} then rejects. */
  constructor(
    trigger: Trigger,
    destinations: { readonly subscriber: Destination; readonly deadLetterSink: Destination | undefined },
    journal: Journal,
    signal: AbortSignal,
  ) {
    this.trigger = trigger;
    this.#subscriber = destinations.subscriber;
    this.#deadLetterSink = destinations.deadLetterSink;
    this.#journal = journal;
    this.#signal = signal;
  }

  /**
   * Sends an event until the answer is final, and gives the CloudEvent of the answer, if there is one. An event that
   * the subscriber does not take goes to the dead letter sink, in the same way; what that answers goes nowhere.
   */
  async deliver(event: CloudEvent<unknown>): Promise<CloudEvent<unknown> | undefined> {
    const { status, reply, said, attempts } = await this.#send(this.#subscriber, event);
    if (status < 300) return reply;
    const sink = this.#deadLetterSink;
    if (sink) {
      this.#log(this.#subscriber, event, { kind: 'deadLetter', status, attempt: attempts });
      const last = await this.#send(sink, deadLetter(event, this.#subscriber.url, status, said));
      if (last.status >= 300) this.#log(sink, event, { kind: 'dropped', status: last.status, attempt: last.attempts });
    } else {
      this.#log(this.#subscriber, event, { kind: 'dropped', status, attempt: attempts });
    }
    return undefined;
  }

  async #send(to: Destination, event: CloudEvent<unknown>) {
    const { delivery } = this.trigger;
    for (let retry = 0; ; retry++) {
      const { retryAfter, ...answer } = await this.#attempt(to, event, retry + 1);
      const { status } = answer;
      if (status < 300 || !mayRetry(status) || retry === delivery.retries) return { ...answer, attempts: retry + 1 };
      await sleep(delivery.wait(retry, { status, retryAfter }), undefined, { signal: this.#signal });
    }
  }

  async #attempt(to: Destination, event: CloudEvent<unknown>, attempt: number) {
    const started = performance.now();
    const answer = await postEvent(to.url, event, {
      headers: { prefer: 'reply', 'kn-namespace': this.trigger.namespace },
      timeout: this.trigger.delivery.timeout,
      signal: this.#signal,
    });
    const { status, reply, body } = verdict(answer);
    this.#log(to, event, {
      kind: 'delivery',
      status,
      attempt,
      ms: Math.round(performance.now() - started),
      ...(body !== '' && { body: body.slice(0, LONGEST_BODY) }),
    });
    return { status, reply, said: answer.body, retryAfter: answer.headers.get('retry-after') };
  }

  #log(to: Destination, event: CloudEvent<unknown>, { kind, ...entry }: Entry): void {
    const { id: eventId, type, subject } = event;
    this.#journal({ kind, function: to.name, trigger: this.trigger.name, eventId, type, subject, ...entry });
  }
}

/** The event as the dead letter sink gets it: with who did not take it, and what that answered last. */
function deadLetter(event: CloudEvent<unknown>, url: string, status: number, said: string): CloudEvent<unknown> {
  const knativeerrordata = Buffer.from(said).toString('base64').slice(0, LONGEST_ERROR_DATA);
  return event.cloneWith(
    { knativeerrordest: url, knativeerrorcode: status, ...(knativeerrordata && { knativeerrordata }) },
    false,
  );
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
