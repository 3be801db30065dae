import type { KubernetesEvent } from '../decision/events.ts';
import type { VmiReference } from '../decision/kubevirt.ts';
import type { EventContext } from './event.ts';
import type { Kubernetes } from './kubernetes.ts';

export interface Log {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** What events of a call are about. */
export interface EventSubject extends Pick<EventContext, 'migration'> {
  readonly vmi: VmiReference;
  /** Of the VMI, if it is there. */
  readonly uid: string | undefined;
}

/** Writes the story of one call to the log and onto the VMI, each line once. It never fails: what was done is done. */
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
    for (const { type, message } of lines) {
      this.#recorded.add(message);
      this.#log[type === 'Warning' ? 'warn' : 'info'](message);
    }
    const { vmi, uid, migration } = about;
    if (uid === undefined) return;
    const context = { vmi: { ...vmi, uid }, migration, component: this.#component };
    await Promise.all(
      lines.map((event) =>
        this.#kubernetes.record(event, context).catch((error: Error) => this.#log.warn(error.message)),
      ),
    );
  }
}
