import type { Operation } from './wire/operations.ts';

/**
 * Stable names for programs; messages are for people and may change.
 *
 * @see [RFC 7047, section 4](https://www.rfc-editor.org/rfc/rfc7047#section-4)
 *
 * @example
 * ```ts
 * const code: OvsdbErrorCode = new ConnectError('Nothing was sent').code;
 * code; // => 'OVSDB_CONNECT'
 * ```
 */
export type OvsdbErrorCode =
  | 'OVSDB_CONNECT'
  | 'OVSDB_OUTCOME_UNKNOWN'
  | 'OVSDB_TRANSACTION'
  | 'OVSDB_RPC'
  | 'OVSDB_PROTOCOL'
  | 'OVSDB_UNSENDABLE'
  | 'OVSDB_SCHEMA';

/**
 * Base of every error that this package throws on purpose. Each subclass tells the caller what may be done next.
 *
 * @see [RFC 7047, section 4](https://www.rfc-editor.org/rfc/rfc7047#section-4)
 *
 * @example
 * ```ts
 * await using client = new OvsdbClient({ remote: 'tcp:127.0.0.1:6641', database: 'OVN_Northbound' });
 * const error = await client.transact([{ op: 'abort' }]).catch((error: unknown) => error);
 * error instanceof OvsdbError && error.code; // => 'OVSDB_TRANSACTION'
 * ```
 */
export class OvsdbError extends Error {
  readonly code: OvsdbErrorCode;

  constructor(code: OvsdbErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/**
 * Nothing was sent: no usable server within the limit, or the client was closed. Safe to call again.
 *
 * @see [RFC 7047, section 4](https://www.rfc-editor.org/rfc/rfc7047#section-4)
 *
 * @example
 * ```ts
 * await using client = new OvsdbClient({ remote: 'unix:/nonexistent', database: 'OVN_Northbound' });
 * const error = await client.echo([], { timeoutMs: 50 }).catch((error: unknown) => error);
 * error instanceof ConnectError; // => true
 * ```
 */
export class ConnectError extends OvsdbError {
  constructor(message: string, options?: ErrorOptions) {
    super('OVSDB_CONNECT', message, options);
  }
}

/**
 * The request was sent and its answer will never be known: time-out, abort or a lost connection. It may have happened,
 * may happen still, or never. Read before you send it again.
 *
 * @see [RFC 7047, section 4.1.3](https://www.rfc-editor.org/rfc/rfc7047#section-4.1.3)
 *
 * @example
 * ```ts
 * await using client = new OvsdbClient({ remote: 'tcp:127.0.0.1:6641', database: 'OVN_Northbound' });
 * await client.echo([]);
 * const where = [['name', '==', 'there is none']] as const;
 * const wait = { op: 'wait', table: 'Logical_Switch', where, columns: ['name'], until: '!=', rows: [] } as const;
 * const error = await client.transact([wait], { timeoutMs: 50 }).catch((error: unknown) => error);
 * error instanceof OutcomeUnknownError; // => true
 * ```
 */
export class OutcomeUnknownError extends OvsdbError {
  readonly method: string;

  constructor(method: string, reason: string, options?: ErrorOptions) {
    super('OVSDB_OUTCOME_UNKNOWN', `${method} was sent but its outcome is unknown: ${reason}`, options);
    this.method = method;
  }
}

/**
 * What the server says of a failure (RFC 7047 section 3.1, `<error>`).
 *
 * @see [RFC 7047, section 3.1](https://www.rfc-editor.org/rfc/rfc7047#section-3.1)
 *
 * @example
 * ```ts
 * const { tag, details }: ServerError = new RpcError('transact', { tag: 'unknown database', details: undefined });
 * [tag, details]; // => ['unknown database', undefined]
 * ```
 */
export interface ServerError {
  /** The error string of RFC 7047, such as `constraint violation`. */
  readonly tag: string;
  readonly details: string | undefined;
}

/**
 * The server rejected the transaction: nothing of it was committed.
 *
 * @see [RFC 7047, section 4.1.3](https://www.rfc-editor.org/rfc/rfc7047#section-4.1.3)
 *
 * @example
 * ```ts
 * await using client = new OvsdbClient({ remote: 'tcp:127.0.0.1:6641', database: 'OVN_Northbound' });
 * const operations = [{ op: 'comment', comment: 'never mind' }, { op: 'abort' }] as const;
 * const error = await client.transact(operations).catch((error: unknown) => error);
 * error instanceof TransactionError && [error.index, error.tag]; // => [1, 'aborted']
 * ```
 */
export class TransactionError extends OvsdbError implements ServerError {
  /** Position of the failed operation; equal to the number of operations when the commit itself failed. */
  readonly index: number;
  /** The failed operation; undefined when the commit itself failed. */
  readonly operation: Operation | undefined;
  readonly tag: string;
  readonly details: string | undefined;

  constructor(index: number, operation: Operation | undefined, error: ServerError) {
    const where = operation === undefined ? 'commit' : `operation ${index} (${describe(operation)})`;
    super('OVSDB_TRANSACTION', `Transaction rejected at ${where}: ${describeError(error)}`);
    this.index = index;
    this.operation = operation;
    this.tag = error.tag;
    this.details = error.details;
  }

  /**
   * True when a `wait` with `timeout: 0` found other rows than it was told to expect. The server names this
   * "timed out" like a `wait` that did wait in vain (RFC 7047 section 5.2.6).
   */
  get guardFailed(): boolean {
    return this.tag === 'timed out' && this.operation?.op === 'wait' && this.operation.timeout === 0;
  }
}

/**
 * The server rejected the request as a whole: nothing of it was done.
 *
 * @see [RFC 7047, section 4](https://www.rfc-editor.org/rfc/rfc7047#section-4)
 *
 * @example
 * ```ts
 * await using client = new OvsdbClient({ remote: 'tcp:127.0.0.1:6641', database: 'OVN_Northbound' });
 * const events = client.monitor({ Nope: {} })[Symbol.asyncIterator]();
 * const error = await events.next().catch((error: unknown) => error);
 * error instanceof RpcError && error.tag; // => 'syntax error'
 * ```
 */
export class RpcError extends OvsdbError implements ServerError {
  readonly method: string;
  readonly tag: string;
  readonly details: string | undefined;

  constructor(method: string, error: ServerError) {
    super('OVSDB_RPC', `${method} rejected by the server: ${describeError(error)}`);
    this.method = method;
    this.tag = error.tag;
    this.details = error.details;
  }
}

/**
 * The peer does not speak OVSDB as RFC 7047 and ovsdb-server(7) have it. A transaction may have been committed.
 *
 * @see [RFC 7047, section 4](https://www.rfc-editor.org/rfc/rfc7047#section-4)
 *
 * @example
 * ```ts
 * new ProtocolError('The reply to transact is not an array').code; // => 'OVSDB_PROTOCOL'
 * ```
 */
export class ProtocolError extends OvsdbError {
  constructor(message: string, options?: ErrorOptions) {
    super('OVSDB_PROTOCOL', message, options);
  }
}

/**
 * Rejected before sending: the server would close the connection on everyone. A bug of the caller; nothing was sent.
 *
 * @see [RFC 7047, section 3.1](https://www.rfc-editor.org/rfc/rfc7047#section-3.1)
 *
 * @example
 * ```ts
 * await using client = new OvsdbClient({ remote: 'tcp:127.0.0.1:6641', database: 'OVN_Northbound' });
 * const row = { name: 'a NUL: \0' };
 * const insert = { op: 'insert', table: 'Logical_Switch', row } as const;
 * const error = await client.transact([insert]).catch((error: unknown) => error);
 * error instanceof UnsendableError && error.pointer; // => '/1/row/name'
 * ```
 */
export class UnsendableError extends OvsdbError {
  /** JSON pointer to the offending value within the request's parameters. */
  readonly pointer: string;

  constructor(pointer: string, problem: string) {
    const where = pointer.length > 200 ? `${pointer.slice(0, 100)}…` : pointer;
    super('OVSDB_UNSENDABLE', `Not sent: the value at "${where}" ${problem}`);
    this.pointer = pointer;
  }
}

/**
 * What was asked for does not go with the server's schema, or with the one in use here. Nothing was sent.
 *
 * @see [RFC 7047, section 3.2](https://www.rfc-editor.org/rfc/rfc7047#section-3.2)
 *
 * @example
 * ```ts
 * import { schema } from 'ovsdb-client-ts/ovn-nb';
 * await using client = new OvsdbClient({ remote: 'tcp:127.0.0.1:6641', database: 'OVN_Northbound' });
 * const nb = client.typed(schema);
 * const rename = () => nb.insert('DNS', { name: 'no such column' } as never);
 * let problem: unknown;
 * try {
 *   rename();
 * } catch (error) {
 *   problem = error;
 * }
 * problem instanceof SchemaError && problem.message; // => 'Table DNS has no column name'
 * ```
 */
export class SchemaError extends OvsdbError {
  constructor(message: string, options?: ErrorOptions) {
    super('OVSDB_SCHEMA', message, options);
  }
}

function describe(operation: Operation): string {
  return 'table' in operation ? `${operation.op} ${operation.table}` : operation.op;
}

function describeError({ tag, details }: ServerError): string {
  return details === undefined ? tag : `${tag}: ${details}`;
}
