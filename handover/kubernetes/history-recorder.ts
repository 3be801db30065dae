import type { HistoryEntry } from '../decision/history.ts';
import { isMigrationRecord, mergeRecords } from '../decision/migration-record.ts';
import type { Kubernetes } from './kubernetes.ts';
import type { Log } from './log.ts';

/**
 * Collects what one call adds to the records of migrations, and writes it onto their VMIMs when the call is over: what a
 * migration waits for comes first. It never fails: what was done is done.
 */
export class HistoryRecorder {
  readonly #kubernetes: Kubernetes;
  readonly #log: Log;
  /** By uid of the VMIM, which is as it was read last. */
  readonly #entries = new Map<string, HistoryEntry>();

  constructor(kubernetes: Kubernetes, log: Log) {
    this.#kubernetes = kubernetes;
    this.#log = log;
  }

  /** What nobody could read again is left out, or functions would overwrite each other's records for ever. */
  add(entries: readonly HistoryEntry[]): void {
    for (const { vmim, record } of entries.filter((entry) => isMigrationRecord(entry.record))) {
      const before = this.#entries.get(vmim.metadata.uid)?.record ?? {};
      this.#entries.set(vmim.metadata.uid, { vmim, record: mergeRecords(before, record) });
    }
  }

  async write(): Promise<void> {
    await Promise.all(
      [...this.#entries.values()].map((entry) =>
        this.#kubernetes
          .recordHistory(entry)
          .catch((error: Error) => this.#log.warn({ vmim: entry.vmim.metadata.name }, error.message)),
      ),
    );
  }
}
