import { ProtocolError } from '../errors.ts';
import type { WireCondition, WireRow } from '../wire/types.ts';

/**
 * A clause of a monitor's `where`; a boolean holds for all rows or for none (ovsdb-server(7) section 4.1.12).
 *
 * @see [ovsdb-server(7), section 4.1.12](https://docs.openvswitch.org/en/latest/ref/ovsdb-server.7/)
 *
 * @example
 * ```ts
 * const either: MonitorCondition[] = [
 *   ['name', '==', 'vm1'],
 *   ['up', '==', true],
 * ];
 * const none: MonitorCondition[] = [false];
 * ```
 */
export type MonitorCondition = WireCondition | boolean;

/**
 * What to monitor of a table (RFC 7047 section 4.1.5, ovsdb-server(7) section 4.1.12).
 *
 * @see [ovsdb-server(7), section 4.1.12](https://docs.openvswitch.org/en/latest/ref/ovsdb-server.7/)
 *
 * @example
 * ```ts
 * const request: MonitorRequest = { columns: ['name', 'up'], where: [['type', '==', '']], select: { delete: false } };
 * ```
 */
export interface MonitorRequest {
  /** All columns without it. */
  columns?: readonly string[];
  /** Only rows that match one of these; all rows without it, or when there are none. */
  where?: readonly MonitorCondition[];
  /** Kinds of changes; each is on by default. */
  select?: { initial?: boolean; insert?: boolean; delete?: boolean; modify?: boolean };
}

/**
 * By table; several requests for one table have different columns or kinds of changes.
 *
 * @see [RFC 7047, section 4.1.5](https://www.rfc-editor.org/rfc/rfc7047#section-4.1.5)
 *
 * @example
 * ```ts
 * const requests: MonitorRequests = {
 *   Logical_Switch: { columns: ['name'] },
 *   Logical_Switch_Port: [{ columns: ['name'] }, { columns: ['up'], select: { initial: false } }],
 * };
 * ```
 */
export type MonitorRequests = Readonly<Record<string, MonitorRequest | readonly MonitorRequest[]>>;

/**
 * What happened to a row; one member is there. Columns with their empty value are left out of `initial` and `insert`.
 * `modify` has the changed columns only: of sets and maps the difference,
 * of others the new value (ovsdb-server(7) section 4.1.14).
 *
 * @see [ovsdb-server(7), section 4.1.14](https://docs.openvswitch.org/en/latest/ref/ovsdb-server.7/)
 *
 * @example
 * ```ts
 * const came: RowUpdate = { insert: { name: 'vm1' } };
 * const changed: RowUpdate = { modify: { up: true } };
 * const went: RowUpdate = { delete: null };
 * ```
 */
export interface RowUpdate {
  readonly initial?: WireRow;
  readonly insert?: WireRow;
  readonly modify?: WireRow;
  readonly delete?: null;
  /** The whole row as it is now: from servers that know only RFC 7047's `monitor`. */
  readonly replace?: WireRow;
}

/**
 * By table, then by uuid.
 *
 * @see [ovsdb-server(7), section 4.1.14](https://docs.openvswitch.org/en/latest/ref/ovsdb-server.7/)
 *
 * @example
 * ```ts
 * const updates: TableUpdates = { DNS: { 'c1b0f6e2-6d0c-4f0e-9a3e-0d8f3a1b2c4d': { delete: null } } };
 * Object.keys(updates); // => ['DNS']
 * ```
 */
export type TableUpdates = Readonly<Record<string, Readonly<Record<string, RowUpdate>>>>;

/**
 * What a monitor gives its reader.
 *
 * @see [ovsdb-server(7), section 4.1.15](https://docs.openvswitch.org/en/latest/ref/ovsdb-server.7/)
 *
 * @example
 * ```ts
 * await using client = new OvsdbClient({ remote: 'tcp:127.0.0.1:6641', database: 'OVN_Northbound' });
 * for await (const { kind, updates } of client.monitor({ DNS: {} })) {
 *   const event: MonitorEvent = { kind, updates };
 *   event.kind; // => 'snapshot'
 *   break;
 * }
 * ```
 */
export interface MonitorEvent {
  /** `snapshot`: the whole contents, in place of all that came before. `changes`: what is different since. */
  readonly kind: 'snapshot' | 'changes';
  readonly updates: TableUpdates;
}

export type MonitorMethod = 'monitor_cond_since' | 'monitor_cond' | 'monitor';

export interface Snapshot {
  /** True when the updates continue from the transaction that was named, false when they are everything anew. */
  readonly continues: boolean;
  /** The last transaction included; undefined when the server does not say. */
  readonly lastId: string | undefined;
  readonly updates: TableUpdates;
}

/** Reads the reply to a monitor request. */
export function readSnapshot(method: MonitorMethod, reply: unknown): Snapshot {
  switch (method) {
    case 'monitor_cond_since': {
      if (!Array.isArray(reply) || reply.length !== 3) throw new ProtocolError(`The reply to ${method} is no triple`);
      const [found, lastId, updates] = reply as [boolean, string, TableUpdates];
      return { continues: found, lastId, updates };
    }
    case 'monitor_cond':
      return { continues: false, lastId: undefined, updates: reply as TableUpdates };
    case 'monitor':
      return { continues: false, lastId: undefined, updates: fromUpdates1(reply, 'initial') };
  }
}

/** Reads an update notification. */
export function readUpdate(method: string, params: readonly unknown[]): Omit<Snapshot, 'continues'> {
  switch (method) {
    case 'update3':
      return { lastId: params[1] as string, updates: params[2] as TableUpdates };
    case 'update2':
      return { lastId: undefined, updates: params[1] as TableUpdates };
    case 'update':
      return { lastId: undefined, updates: fromUpdates1(params[1], 'insert') };
    default:
      throw new ProtocolError(`Got the notification ${method} for a monitor`);
  }
}

/** RFC 7047's own form: `old` and `new`, of which one is missing after an insert or a delete. */
function fromUpdates1(updates: unknown, kindOfNew: 'initial' | 'insert'): TableUpdates {
  type Updates1 = Record<string, Record<string, { old?: WireRow; new?: WireRow }>>;
  return mapValues(updates as Updates1, (rows) =>
    mapValues(rows, ({ old: before, new: after }): RowUpdate => {
      if (after === undefined) return { delete: null };
      return before === undefined ? { [kindOfNew]: after } : { replace: after };
    }),
  );
}

function mapValues<A, B>(record: Record<string, A>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
