import type { WireRow } from '../wire/types.ts';
import { fromWireSet } from '../wire/values.ts';

/** What a server says of its own part of a database: a row of `Database` in `_Server` (ovsdb-server(5)). */
export interface ServerRow {
  readonly name: string;
  readonly model: string;
  /** False while a member has no contact to its cluster. */
  readonly connected: boolean;
  readonly leader: boolean;
  /** The cluster's uuid, another for every cluster that is made, also from a backup; undefined unless clustered. */
  readonly cid: string | undefined;
  /** Position in the cluster's log; undefined unless clustered. */
  readonly index: number | bigint | undefined;
}

/** How far the log of a cluster had come. */
export interface LogPosition {
  readonly cid: string | undefined;
  readonly index: number | bigint;
}

export function readServerRow({ name, model, connected, leader, cid, index }: WireRow): ServerRow {
  return {
    name: String(name),
    model: String(model),
    connected: connected === true,
    leader: leader === true,
    cid: cid === undefined ? undefined : fromWireSet(cid)[0],
    index: index === undefined ? undefined : fromWireSet<number | bigint>(index)[0],
  };
}

export interface Demands {
  database: string;
  leaderOnly: boolean;
  asksForSchema: boolean;
  /** The furthest position in the log seen so far: a member of the same cluster behind it would show the past. */
  seen: LogPosition | undefined;
}

/** Why a server with this row must not be used; undefined when it may. */
export function whyUnusable(
  row: ServerRow | undefined,
  { database, leaderOnly, seen }: Omit<Demands, 'asksForSchema'>,
): string | undefined {
  if (row === undefined) return `it has no database ${database}`;
  if (!row.connected) return `it has lost its cluster of ${database}`;
  if (row.model === 'clustered' && leaderOnly && !row.leader) return `it is not the leader of ${database}`;
  if (row.index !== undefined && seen !== undefined && row.cid === seen.cid && row.index < seen.index) {
    return `it is behind in the log of ${database}, at ${row.index} where ${seen.index} was seen`;
  }
  return undefined;
}
