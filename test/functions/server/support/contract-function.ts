/** Returns what its caller wishes for, of all that func lets a function return. */
import { CloudEvent } from 'cloudevents';

interface Called {
  readonly method: string;
  readonly httpVersion: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly log: { info(line: string): void };
}

const RETURNS: Record<string, (context: Called, event?: unknown) => unknown> = {
  event: (_context, event) =>
    new CloudEvent({ id: '1', type: 'test.answer', source: '/test', subject: 'x', data: (event as CloudEvent).data }),
  'event without data': () => new CloudEvent({ id: '1', type: 'test.answer', source: '/test' }),
  'what it was called with': ({ method, httpVersion, query, headers }, body) => ({
    body: { method, httpVersion, query: { ...query }, accept: headers.accept, body },
  }),
  text: () => 'so be it',
  'an empty text': () => '',
  nothing: () => undefined,
  null: () => null,
  'a value': () => ({ order: 7 }),
  'a list': () => [1, 2],
  'a status': () => ({ statusCode: 422, headers: { 'Content-Type': 'text/plain' }, body: 'no such order' }),
  'a status alone': () => ({ statusCode: 202, body: '' }),
  'a body of no type': () => ({ body: '{"order":7}' }),
  'a body that is a value': () => ({ headers: { 'X-Order': '7' }, body: { order: 7 } }),
  bytes: () => ({ headers: { 'content-type': 'application/octet-stream' }, body: Buffer.from([0, 255, 7]) }),
  'an error': () => {
    throw new Error('lost screw');
  },
  'a rejection': () => Promise.reject(new Error('lost screw')),
  'a header that HTTP does not have': () => ({ headers: { 'x-line': 'a\nb' }, body: 'x' }),
};

export const WISHES = Object.keys(RETURNS);

export async function handle(context: Called, event?: unknown): Promise<unknown> {
  context.log.info('called');
  return RETURNS[context.headers['x-wish'] ?? 'what it was called with']!(context, event);
}
