import { once } from 'node:events';
import { type Guest, startGuest } from '../guest/guest.ts';
import { type MigrationResult, migrate } from '../guest/migrate.ts';
import type { QmpEvent } from '../guest/qmp.ts';
import { plug, unplug } from '../testbed/plug.ts';
import type { GuestKind, LauncherGuest, MigrateOptions } from './guests.ts';

/** Real guests, each in a QEMU of its own on a tap. */
export const qemuGuests: GuestKind = {
  async plug({ chassis, interfaces }) {
    for (const one of interfaces) await plug(chassis, one);
  },
  async unplug({ chassis, interfaces }) {
    for (const { tap } of interfaces) await unplug(chassis, tap);
  },
  async start(network, incoming) {
    return new QemuGuest(await startGuest({ ...network, ...(incoming !== undefined && { incoming }) }));
  },
};

class QemuGuest implements LauncherGuest {
  readonly resumed: Promise<number>;
  readonly ended: Promise<void>;
  readonly #guest: Guest;

  constructor(guest: Guest) {
    this.#guest = guest;
    this.ended = once(guest.qmp, 'close').then(() => undefined);
    this.resumed = new Promise((resolve) => {
      // By QEMU's clock.
      guest.qmp.on('event', ({ event, at }: QmpEvent) => event === 'RESUME' && resolve(at));
    });
  }

  get pid(): number {
    return this.#guest.pid;
  }

  ready(): Promise<void> {
    return this.#guest.ready();
  }

  async migrate(target: LauncherGuest, uri: string, { signal }: MigrateOptions): Promise<MigrationResult> {
    return migrate(this.#guest, (target as QemuGuest).#guest, uri, { signal });
  }

  stop(): Promise<void> {
    return this.#guest.stop();
  }
}
