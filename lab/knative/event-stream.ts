import { setTimeout as sleep } from 'node:timers/promises';
import type { CloudEvent } from 'cloudevents';
import type { Journal } from './journal.ts';
import { postEvent } from './post-event.ts';

const ATTEMPTS = 6;
const FIRST_BACKOFF_MS = 100;

export interface EventStreamOptions {
  readonly sink: string;
  /** Sent as Kn-Namespace: that of the source. */
  readonly namespace: string;
  readonly journal: Journal;
}

/** Sends the events of one resource one after the other: the next one waits until this one is taken or given up. */
export class EventStream {
  readonly #options: EventStreamOptions;
  readonly #stop = new AbortController();
  #last: Promise<void> = Promise.resolve();

  constructor(options: EventStreamOptions) {
    this.#options = options;
  }

  push(event: CloudEvent<unknown>): void {
    this.#last = this.#last
      .then(() => this.#send(event))
      .catch((error: unknown) => {
        if (!this.#stop.signal.aborted) throw error;
      });
  }

  /** Drops what has not been sent yet. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#last;
  }

  async #send(event: CloudEvent<unknown>): Promise<void> {
    const { signal } = this.#stop;
    const { sink, namespace, journal } = this.#options;
    for (let attempt = 1; ; attempt++) {
      const { status, body } = await postEvent(sink, event, { headers: { 'kn-namespace': namespace }, signal });
      if (status !== undefined && status < 300) return;
      if (attempt === ATTEMPTS || !mayRetry(status)) {
        const { id: eventId, type, subject } = event;
        journal({ kind: 'dropped', eventId, type, subject, status, attempt, body: `not taken by ${sink}: ${body}` });
        return;
      }
      await sleep(FIRST_BACKOFF_MS * 2 ** (attempt - 1), undefined, { signal });
    }
  }
}

/** The adapter's own set, which is not the broker's: a 500 is final. */
function mayRetry(status: number | undefined): boolean {
  return status === undefined || [404, 413, 425, 429, 502, 503, 504].includes(status);
}
