import { ConnectError } from '../errors.ts';
import type { Connection } from '../rpc/connection.ts';
import type { Limit } from '../rpc/limit.ts';
import type { MonitorCondition, MonitorRequests } from './updates.ts';

interface LiveMonitor {
  readonly connection: Connection;
  readonly id: string;
}

interface Waiter {
  resolve(live: LiveMonitor): void;
  reject(error: Error): void;
}

/** Conditions of a monitor's tables that were changed and that a server has accepted, and who wants to change more. */
export class Conditions {
  readonly #accepted = new Map<string, readonly MonitorCondition[]>();
  readonly #waiters = new Set<Waiter>();
  #live: LiveMonitor | undefined;
  #ended: ConnectError | undefined;

  set(table: string, where: readonly MonitorCondition[]): void {
    this.#accepted.set(table, where);
  }

  apply(requests: MonitorRequests): MonitorRequests {
    const changed = Object.entries(requests).flatMap(([table, request]) => {
      const where = this.#accepted.get(table);
      return where === undefined ? [] : [[table, [request].flat().map((one) => ({ ...one, where }))]];
    });
    return { ...requests, ...Object.fromEntries(changed) };
  }

  /** Waits for a monitor whose contents are there. @throws ConnectError when it does not come within the limit */
  live(limit: Limit): Promise<LiveMonitor> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) throw this.#ended;
      if (this.#live !== undefined) {
        resolve(this.#live);
        return;
      }
      const waiter = { resolve, reject };
      this.#waiters.add(waiter);
      limit.onReached((reason) => {
        if (!this.#waiters.delete(waiter)) return;
        reject(new ConnectError(`The condition was not sent: ${reason.message}; the monitor is not live`));
      });
    });
  }

  goLive(live: LiveMonitor): void {
    this.#live = live;
    for (const { resolve } of this.#waiters) resolve(live);
    this.#waiters.clear();
  }

  lose(): void {
    this.#live = undefined;
  }

  end(reason: ConnectError): void {
    this.#ended = reason;
    this.#live = undefined;
    for (const { reject } of this.#waiters) reject(reason);
    this.#waiters.clear();
  }
}
