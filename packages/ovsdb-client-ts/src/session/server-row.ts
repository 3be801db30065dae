import type { WireRow } from '../wire/types.ts';
import { fromWireSet } from '../wire/values.ts';

/** What a server says of its own part of a database: a row of `Database` in `_Server` (ovsdb-server(5)). */
export interface ServerRow {
  readonly name: string;
  readonly model: string;
  /** False while a member has no contact to its cluster. */
  readonly connected: boolean;
  readonly leader: boolean;
  /** Position in the cluster's log; undefined unless clustered. */
  readonly index: number | bigint | undefined;
}

export function readServerRow({ name, model, connected, leader, index }: WireRow): ServerRow {
  return {
    name: String(name),
    model: String(model),
    connected: connected === true,
    leader: leader === true,
    index: index === undefined ? undefined : fromWireSet<number | bigint>(index)[0],
  };
}

export interface Demands {
  database: string;
  leaderOnly: boolean;
  /** The furthest position in the log seen so far: a member behind it would show the past. */
  minIndex: number | bigint;
}

/** Why a server with this row must not be used; undefined when it may. */
export function whyUnusable(
  row: ServerRow | undefined,
  { database, leaderOnly, minIndex }: Demands,
): string | undefined {
  if (row === undefined) return `it has no database ${database}`;
  if (!row.connected) return `it has lost its cluster of ${database}`;
  if (row.model === 'clustered' && leaderOnly && !row.leader) return `it is not the leader of ${database}`;
  if (row.index !== undefined && row.index < minIndex) return `it is behind in the log of ${database}`;
  return undefined;
}
