import type { WireCondition, WireMutation, WireRow, WireValue } from './types.ts';

/**
 * The operations of RFC 7047 section 5.2 as they go over the wire.
 *
 * @see [RFC 7047, section 5.2](https://www.rfc-editor.org/rfc/rfc7047#section-5.2)
 *
 * @example
 * ```ts
 * const operations: Operation[] = [
 *   { op: 'insert', table: 'Logical_Switch', row: { name: 'net1' } },
 *   { op: 'comment', comment: 'an example' },
 * ];
 * ```
 */
export type Operation =
  | InsertOperation
  | SelectOperation
  | UpdateOperation
  | MutateOperation
  | DeleteOperation
  | WaitOperation
  | CommitOperation
  | AbortOperation
  | CommentOperation
  | AssertOperation;

/**
 * Adds a row.
 *
 * @see [RFC 7047, section 5.2.1](https://www.rfc-editor.org/rfc/rfc7047#section-5.2.1)
 *
 * @example
 * ```ts
 * const port: InsertOperation = { op: 'insert', table: 'Logical_Switch_Port', row: { name: 'vm1' }, 'uuid-name': 'p' };
 * const row = { name: 'net1', ports: namedUuid('p') };
 * const net: InsertOperation = { op: 'insert', table: 'Logical_Switch', row };
 * ```
 */
export interface InsertOperation {
  op: 'insert';
  table: string;
  row: WireRow;
  /** The row's own uuid, chosen by the caller (ovsdb-server(7), since OVS 2.13). */
  uuid?: string;
  /** A name by which other operations of this transaction refer to the row. */
  'uuid-name'?: string;
}

/**
 * Reads the rows that match.
 *
 * @see [RFC 7047, section 5.2.2](https://www.rfc-editor.org/rfc/rfc7047#section-5.2.2)
 *
 * @example
 * ```ts
 * const select: SelectOperation = { op: 'select', table: 'Logical_Switch', where: [], columns: ['name'], sort: ['name'] };
 * ```
 */
export interface SelectOperation {
  op: 'select';
  table: string;
  where: readonly WireCondition[];
  columns?: readonly string[];
  /** Columns by which the rows are sorted, in this order. */
  sort?: readonly string[];
}

/**
 * Overwrites columns of the rows that match.
 *
 * @see [RFC 7047, section 5.2.3](https://www.rfc-editor.org/rfc/rfc7047#section-5.2.3)
 *
 * @example
 * ```ts
 * const where = [['name', '==', 'vm1']] as const;
 * const update: UpdateOperation = { op: 'update', table: 'Logical_Switch_Port', where, row: { enabled: false } };
 * ```
 */
export interface UpdateOperation {
  op: 'update';
  table: string;
  where: readonly WireCondition[];
  row: WireRow;
}

/**
 * Changes columns of the rows that match by what they are.
 *
 * @see [RFC 7047, section 5.2.4](https://www.rfc-editor.org/rfc/rfc7047#section-5.2.4)
 *
 * @example
 * ```ts
 * const mutations = [['options', 'delete', toWireSet(['requested-chassis'])]] as const;
 * const mutate: MutateOperation = { op: 'mutate', table: 'Logical_Switch_Port', where: [], mutations };
 * ```
 */
export interface MutateOperation {
  op: 'mutate';
  table: string;
  where: readonly WireCondition[];
  mutations: readonly WireMutation[];
}

/**
 * Removes the rows that match.
 *
 * @see [RFC 7047, section 5.2.5](https://www.rfc-editor.org/rfc/rfc7047#section-5.2.5)
 *
 * @example
 * ```ts
 * const remove: DeleteOperation = { op: 'delete', table: 'DNS', where: [['records', '==', toWireMap({})]] };
 * ```
 */
export interface DeleteOperation {
  op: 'delete';
  table: string;
  where: readonly WireCondition[];
}

/**
 * Lets the transaction go on when the rows that match are, or are not, what is said.
 *
 * @see [RFC 7047, section 5.2.6](https://www.rfc-editor.org/rfc/rfc7047#section-5.2.6)
 *
 * @example
 * ```ts
 * const where = [['name', '==', 'vm1']] as const;
 * const rows = [{ up: true }];
 * const guard: WaitOperation = { op: 'wait', table: 'Logical_Switch_Port', where, until: '==', rows, timeout: 0 };
 * ```
 */
export interface WaitOperation {
  op: 'wait';
  table: string;
  where: readonly WireCondition[];
  columns?: readonly string[];
  until: '==' | '!=';
  rows: readonly WireRow[];
  /** Milliseconds; 0 makes it a guard that fails at once; without it the server waits for ever. */
  timeout?: number;
}

/**
 * Says whether the answer waits until the transaction is on the disk.
 *
 * @see [RFC 7047, section 5.2.7](https://www.rfc-editor.org/rfc/rfc7047#section-5.2.7)
 *
 * @example
 * ```ts
 * const commit: CommitOperation = { op: 'commit', durable: true };
 * ```
 */
export interface CommitOperation {
  op: 'commit';
  durable: boolean;
}

/**
 * Makes the transaction fail.
 *
 * @see [RFC 7047, section 5.2.8](https://www.rfc-editor.org/rfc/rfc7047#section-5.2.8)
 *
 * @example
 * ```ts
 * const abort: AbortOperation = { op: 'abort' };
 * ```
 */
export interface AbortOperation {
  op: 'abort';
}

/**
 * Leaves a note in the database's log.
 *
 * @see [RFC 7047, section 5.2.9](https://www.rfc-editor.org/rfc/rfc7047#section-5.2.9)
 *
 * @example
 * ```ts
 * const comment: CommentOperation = { op: 'comment', comment: 'moved by the operator' };
 * ```
 */
export interface CommentOperation {
  op: 'comment';
  comment: string;
}

/**
 * Makes the transaction fail unless this connection holds the lock.
 *
 * @see [RFC 7047, section 5.2.10](https://www.rfc-editor.org/rfc/rfc7047#section-5.2.10)
 *
 * @example
 * ```ts
 * const assertion: AssertOperation = { op: 'assert', lock: 'my_daemon_leader' };
 * ```
 */
export interface AssertOperation {
  op: 'assert';
  lock: string;
}

/**
 * The result of one operation: which member is there depends on the operation (RFC 7047 section 5.2).
 *
 * @see [RFC 7047, section 5.2](https://www.rfc-editor.org/rfc/rfc7047#section-5.2)
 *
 * @example
 * ```ts
 * const inserted: OperationResult = { uuid: ['uuid', 'c1b0f6e2-6d0c-4f0e-9a3e-0d8f3a1b2c4d'] };
 * const updated: OperationResult = { count: 1 };
 * ```
 */
export interface OperationResult {
  /** insert */
  readonly uuid?: readonly ['uuid', string];
  /** update, mutate, delete: rows matched by `where` */
  readonly count?: number;
  /** select */
  readonly rows?: readonly { readonly [column: string]: WireValue }[];
}
