import { Endpoint } from '../guest/endpoint.ts';
import { MigrationError, type MigrationResult } from '../guest/migrate.ts';
import type { GuestKind, LauncherGuest, MigrateOptions } from './guests.ts';
import { StepFailed } from './pace.ts';

/** Endpoints in place of guests: many fit on one machine, and their migrations can be held and broken at any step. */
export const endpoints: GuestKind = {
  plug: (network) => Endpoint.plug(network),
  unplug: (network) => Endpoint.unplug(network),
  async start(network, incoming) {
    const guest = new EndpointGuest(new Endpoint(network));
    if (incoming === undefined) await guest.resume();
    return guest;
  },
};

class EndpointGuest implements LauncherGuest {
  readonly pid = undefined;
  readonly resumed: Promise<number>;
  readonly ended: Promise<void>;
  readonly #endpoint: Endpoint;
  readonly #resume: (at: number) => void;
  readonly #end = new AbortController();

  constructor(endpoint: Endpoint) {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#endpoint = endpoint;
    this.resumed = promise;
    this.#resume = resolve;
    this.ended = new Promise((done) => this.#end.signal.addEventListener('abort', () => done()));
  }

  async ready(): Promise<void> {
    await this.resumed;
  }

  async resume(): Promise<void> {
    await this.#endpoint.run();
    this.#resume(Date.now());
  }

  /** In QEMU's order: the source stands still, the target has its state and announces itself, the target runs. */
  async migrate(target: LauncherGuest, _uri: string, { signal, step }: MigrateOptions): Promise<MigrationResult> {
    const to = target as EndpointGuest;
    const startedAt = Date.now();
    const broken = AbortSignal.any([this.#end.signal, to.#end.signal]);
    const either = AbortSignal.any([signal, broken]);
    let stoodStillAt: number | undefined;
    try {
      await step('copy', either);
      stoodStillAt = Date.now();
      await this.#endpoint.silence();
      await to.#endpoint.announce();
      await step('resume', broken);
    } catch (error) {
      if (!(error instanceof StepFailed) && !either.aborted) throw error;
      if (stoodStillAt !== undefined && !this.#end.signal.aborted) await this.#endpoint.run();
      if (signal.aborted) throw new MigrationError('cancelled');
      throw new MigrationError('failed', broken.aborted ? 'one side is gone' : (error as Error).message);
    }
    await to.resume();
    const now = Date.now();
    return { totalMs: now - startedAt, guestBlackoutMs: now - stoodStillAt, ramBytes: 0 };
  }

  async stop(): Promise<void> {
    this.#end.abort();
    // With its node its interfaces are gone.
    await this.#endpoint.silence().catch(() => {});
  }
}
