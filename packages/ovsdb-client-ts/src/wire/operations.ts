import type { WireCondition, WireMutation, WireRow, WireValue } from './types.ts';

/** The operations of RFC 7047 section 5.2 as they go over the wire. */
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

export interface InsertOperation {
  op: 'insert';
  table: string;
  row: WireRow;
  /** The row's own uuid, chosen by the caller (ovsdb-server(7), since OVS 2.13). */
  uuid?: string;
  /** A name by which other operations of this transaction refer to the row. */
  'uuid-name'?: string;
}

export interface SelectOperation {
  op: 'select';
  table: string;
  where: readonly WireCondition[];
  columns?: readonly string[];
  /** Columns by which the rows are sorted, in this order. */
  sort?: readonly string[];
}

export interface UpdateOperation {
  op: 'update';
  table: string;
  where: readonly WireCondition[];
  row: WireRow;
}

export interface MutateOperation {
  op: 'mutate';
  table: string;
  where: readonly WireCondition[];
  mutations: readonly WireMutation[];
}

export interface DeleteOperation {
  op: 'delete';
  table: string;
  where: readonly WireCondition[];
}

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

export interface CommitOperation {
  op: 'commit';
  durable: boolean;
}

export interface AbortOperation {
  op: 'abort';
}

export interface CommentOperation {
  op: 'comment';
  comment: string;
}

export interface AssertOperation {
  op: 'assert';
  lock: string;
}

/** The result of one operation: which member is there depends on the operation (RFC 7047 section 5.2). */
export interface OperationResult {
  /** insert */
  readonly uuid?: readonly ['uuid', string];
  /** update, mutate, delete: rows matched by `where` */
  readonly count?: number;
  /** select */
  readonly rows?: readonly { readonly [column: string]: WireValue }[];
}
