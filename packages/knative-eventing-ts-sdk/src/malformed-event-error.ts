/**
 * An event that no retry can help. `statusCode` is the answer to give: 400 when it is no CloudEvent at all, 422 when
 * it is a CloudEvent but not one that this function understands.
 *
 * @see [RFC 6901](https://www.rfc-editor.org/rfc/rfc6901)
 *
 * @example
 * ```ts
 * try {
 *   parsePingEvent({ specversion: '1.0', id: '1', source: '/s', type: 'com.example.order' });
 * } catch (error) {
 *   if (!(error instanceof MalformedEventError)) throw error;
 *   [error.statusCode, error.where]; // => [422, '/type']
 * }
 * ```
 */
export class MalformedEventError extends Error {
  override readonly name = 'MalformedEventError';
  readonly statusCode: 400 | 422;
  /** JSON pointer into the event, e.g. `/data/metadata/name`; `''` is the event itself. */
  readonly where: string;
  /** What is wrong there, in one line. */
  readonly what: string;

  constructor(statusCode: 400 | 422, where: string, what: string) {
    super(`${where || '(the event)'}: ${what}`);
    this.statusCode = statusCode;
    this.where = where;
    this.what = what;
  }
}
