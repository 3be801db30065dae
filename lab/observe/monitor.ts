import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { hasEnded } from '../testbed/command.ts';

export interface MonitorOptions {
  /** Namespace to run in, so that the observer ends with the testbed whatever happens. */
  readonly netns: string;
  /** `unix:PATH` of the database server. */
  readonly remote: string;
  readonly database: string;
  readonly table: string;
  readonly columns: readonly string[];
}

/** A row as it is after a change, by column name in OVSDB's JSON notation; `undefined` when it was deleted. */
export interface RowChange {
  readonly uuid: string;
  readonly row: Record<string, unknown> | undefined;
}

export interface Monitor {
  /** @throws Error when the observer had ended before, so that changes may be missing. */
  stop(): Promise<void>;
}

/**
 * Watches a table with Open vSwitch's own `ovsdb-client monitor`; resolves when the rows that are there have been
 * reported.
 *
 * @param onChanges gets the rows of one committed transaction.
 */
export async function monitorTable(
  options: MonitorOptions,
  onChanges: (changes: RowChange[]) => void,
): Promise<Monitor> {
  const { netns, remote, database, table, columns } = options;
  const client = ['ovsdb-client', '--format=json', 'monitor', remote, database, table, columns.join(',')];
  const child = spawn('ip', ['netns', 'exec', netns, ...client], { stdio: ['ignore', 'pipe', 'pipe'] });
  const exit = once(child, 'exit');
  // Its last lines may be in the pipe still when it has ended.
  const closed = once(child, 'close');
  let complaint = '';
  child.stderr.on('data', (chunk) => {
    complaint += chunk;
  });
  const ended = () => new Error(`The observer of ${database} ${table} has ended: ${complaint.trim() || 'no word'}`);
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => onChanges(parseUpdate(line)));
  await Promise.race([
    once(lines, 'line'),
    exit.then(() => {
      throw ended();
    }),
  ]);
  return {
    async stop() {
      if (hasEnded(child)) throw ended();
      child.kill();
      await closed;
    },
  };
}

/** Reads one line of `ovsdb-client --format=json monitor`: a table whose rows are headed by uuid and action. */
export function parseUpdate(line: string): RowChange[] {
  const { headings, data } = JSON.parse(line) as { headings: string[]; data: unknown[][] };
  const changes: RowChange[] = [];
  let uuid = '';
  for (const values of data) {
    const [id, action, ...columns] = values as [string, string, ...unknown[]];
    // A changed row is told twice, `old` with the uuid and right after it `new` without.
    if (action !== 'new') uuid = id;
    if (action === 'old') continue;
    const row = Object.fromEntries(columns.map((value, index) => [headings[index + 2]!, value]));
    changes.push({ uuid, row: action === 'delete' ? undefined : row });
  }
  return changes;
}
