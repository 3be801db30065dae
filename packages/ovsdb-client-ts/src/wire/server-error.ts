import type { ServerError } from '../errors.ts';

/** Reads an `<error>`: of a whole request it may be a bare string, of an operation it is an object. */
export function readServerError(error: unknown): ServerError {
  if (typeof error === 'string') return { tag: error, details: undefined };
  const { error: tag, details } = (error ?? {}) as { error?: unknown; details?: unknown };
  return { tag: String(tag), details: typeof details === 'string' ? details : undefined };
}
