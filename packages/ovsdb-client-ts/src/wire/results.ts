import { ProtocolError, TransactionError } from '../errors.ts';
import type { Operation, OperationResult } from './operations.ts';
import { readServerError } from './server-error.ts';

/**
 * Reads the reply of `transact` (RFC 7047 section 4.1.3): a failed operation is an error followed by nulls, a failed
 * commit is one more element than there were operations.
 * @throws TransactionError naming what failed; ProtocolError for a reply that fits neither.
 */
export function readResults(operations: readonly Operation[], reply: unknown): OperationResult[] {
  if (!Array.isArray(reply)) throw new ProtocolError('The reply to transact is not an array');
  for (const [index, result] of reply.entries()) {
    if (isError(result)) throw new TransactionError(index, operations[index], readServerError(result));
  }
  if (reply.length !== operations.length || reply.includes(null)) {
    throw new ProtocolError(`Sent ${operations.length} operations and got ${reply.length} results without an error`);
  }
  return reply as OperationResult[];
}

function isError(result: unknown): boolean {
  return typeof result === 'object' && result !== null && 'error' in result;
}
