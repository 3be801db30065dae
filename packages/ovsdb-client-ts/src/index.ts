export { OvsdbClient, type OvsdbClientOptions } from './client.ts';
export {
  ConnectError,
  OutcomeUnknownError,
  OvsdbError,
  type OvsdbErrorCode,
  ProtocolError,
  RpcError,
  type ServerError,
  TransactionError,
  UnsendableError,
} from './errors.ts';
export type { Lock } from './lock.ts';
export type { CallOptions } from './rpc/limit.ts';
export type { Connect, TlsFiles } from './transport/connect.ts';
export type { Endpoint } from './transport/remote.ts';
export type * from './wire/operations.ts';
export {
  fromWireMap,
  fromWireSet,
  fromWireUuid,
  namedUuid,
  toWireMap,
  toWireSet,
  uuid,
  type WireAtom,
  type WireCondition,
  type WireMap,
  type WireMutation,
  type WireNamedUuid,
  type WireRow,
  type WireSet,
  type WireUuid,
  type WireValue,
} from './wire/values.ts';
