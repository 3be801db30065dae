import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** One thing that happened, for whoever tells the story of a migration afterwards. */
export interface Entry {
  readonly kind: 'event' | 'delivery' | 'coldStart' | 'ended' | 'reply' | 'deadLetter' | 'dropped';
  readonly function?: string | undefined;
  readonly trigger?: string | undefined;
  readonly eventId?: string | undefined;
  readonly type?: string | undefined;
  readonly subject?: string | undefined;
  readonly status?: number | undefined;
  readonly ms?: number | undefined;
  /** 1 is the first one. */
  readonly attempt?: number | undefined;
  /** Body of an answer that is no success, or why something ended or was dropped. */
  readonly body?: string | undefined;
}

export type Journal = (entry: Entry) => void;

/** A file of JSON lines, each an {@link Entry} with `at`, its time in ISO 8601. */
export function openJournal(file: string): { write: Journal; close(): void } {
  mkdirSync(dirname(file), { recursive: true });
  const descriptor = openSync(file, 'a');
  return {
    write: (entry) => writeSync(descriptor, `${JSON.stringify({ at: new Date().toISOString(), ...entry })}\n`),
    close: () => closeSync(descriptor),
  };
}
