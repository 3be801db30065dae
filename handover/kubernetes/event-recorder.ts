import type { KubernetesEvent } from '../decision/events.ts';
import type { VmiReference } from '../decision/kubevirt.ts';
import type { EventContext } from './event.ts';
import type { Kubernetes } from './kubernetes.ts';
import type { Log } from './log.ts';

/** What events of a call are about. */
export interface EventSubject extends Pick<EventContext, 'migration'> {
  readonly vmi: VmiReference;
  /** Of the VMI, if it is there. */
  readonly uid: string | undefined;
}

/** Writes the story of one call onto the VMI and to the log, each line once. It never fails: what was done is done. */
export class EventRecorder {
  readonly #kubernetes: Kubernetes;
  readonly #component: string;
  readonly #log: Log;
  readonly #recorded = new Set<string>();

  /** @param component the function that tells it */
  constructor(kubernetes: Kubernetes, component: string, log: Log) {
    this.#kubernetes = kubernetes;
    this.#component = component;
    this.#log = log;
  }

  /** @param about without the VMI's uid there is nothing to write onto, and the log has it alone */
  async record(events: readonly KubernetesEvent[], about: EventSubject): Promise<void> {
    const lines = events.filter(({ message }) => !this.#recorded.has(message));
    for (const { type, reason, message } of lines) {
      this.#recorded.add(message);
      // What was decided stands in the log already; what is wrong does not.
      this.#log[type === 'Warning' ? 'warn' : 'debug']({ reason }, message);
    }
    const { vmi, uid, migration } = about;
    if (uid === undefined) return;
    const context = { vmi: { ...vmi, uid }, migration, component: this.#component };
    await Promise.all(
      lines.map((event) =>
        this.#kubernetes
          .record(event, context)
          .catch((error: Error) => this.#log.warn({ reason: event.reason }, error.message)),
      ),
    );
  }
}
