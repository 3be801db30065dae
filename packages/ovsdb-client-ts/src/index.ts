export { OvsdbClient, type OvsdbClientOptions } from './client.ts';
export type { ClientCounters } from './diagnostics.ts';
export {
  ConnectError,
  OutcomeUnknownError,
  OvsdbError,
  type OvsdbErrorCode,
  ProtocolError,
  RpcError,
  SchemaError,
  type ServerError,
  TransactionError,
  UnsendableError,
} from './errors.ts';
export type { Lock } from './lock.ts';
export type { Monitor } from './monitor/monitor.ts';
export type {
  MonitorCondition,
  MonitorEvent,
  MonitorRequest,
  MonitorRequests,
  RowUpdate,
  TableUpdates,
} from './monitor/updates.ts';
export { retryGuarded } from './retry.ts';
export type { CallOptions } from './rpc/limit.ts';
export type { DatabaseSchema } from './schema/schema.ts';
export type { ConnectionEvents } from './session/session.ts';
export { type Connect, connectSocket, type TlsFiles, type TlsMaterial } from './transport/connect.ts';
export type { Endpoint } from './transport/remote.ts';
export type { Cache } from './typed/cache.ts';
export type { CacheCondition, CachedRow, CacheTables, RowChange } from './typed/cache-types.ts';
export type { TypedDatabase } from './typed/database.ts';
export type { AnyOperation, InsertOperationOf, ResultsOf, TypedOperation } from './typed/operations.ts';
export type { Condition, InputOf, InsertOf, Mutation, TypedSchema, UpdateOf } from './typed/types.ts';
export { NamedUuid, type Uuid } from './typed/uuid.ts';
export type * from './wire/operations.ts';
export type {
  WireAtom,
  WireCondition,
  WireMap,
  WireMutation,
  WireNamedUuid,
  WireRow,
  WireSet,
  WireUuid,
  WireValue,
} from './wire/types.ts';
export { fromWireMap, fromWireSet, fromWireUuid, namedUuid, toWireMap, toWireSet, uuid } from './wire/values.ts';
