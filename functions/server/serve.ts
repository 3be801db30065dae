/**
 * Serves a function by the contract of func's runtime for Node.js (faas-js-runtime), as far as a function of CloudEvents
 * needs it: POST or GET of `/` calls `handle(context, event)`, `/health/liveness` and `/health/readiness` are for
 * probes, `/metrics` for Prometheus. Why it is not that runtime: docs/decisions/0009-own-server.md.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { JsonLog } from './log.ts';
import { Metrics } from './metrics.ts';
import { type Context, contextOf, readBody, TooLongError } from './request.ts';
import { type Response, responseOf, textResponse } from './response.ts';

/** What a function's module exports. */
export interface FunctionModule {
  /** @param event the CloudEvent, or the body of a request that is none */
  handle(context: Context, event?: unknown): unknown;
  /** Called when the process ends, after the last answer. */
  shutdown?(): unknown;
}

export interface ServeOptions {
  readonly name: string;
  readonly port: number;
  readonly log: JsonLog;
  readonly maxBytes: number;
  /** How long the end of the process waits for answers that are under way. */
  readonly drainMs: number;
}

/** Longer than Knative's queue-proxy keeps a connection that it does not use; Node.js closes it after 5 s, while an event may be on its way. */
const KEEP_ALIVE_MS = 100_000;

/** Serves until SIGTERM or SIGINT; then no probe takes it for ready, what is under way is answered, and the process ends with status 0. */
export async function serve(module: FunctionModule, options: ServeOptions): Promise<Server> {
  const { name, port, drainMs } = options;
  const metrics = new Metrics(name);
  const unanswered = new Set<ServerResponse>();
  let draining = false;

  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    unanswered.add(response);
    response.once('close', () => unanswered.delete(response));
    void answer(request, response);
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path, query] = (request.url ?? '/').split('?', 2);
    const answered = path === '/' ? metrics.invoked() : undefined;
    try {
      send(response, await (path === '/' ? invoke(module, request, query, options) : probe(path)));
    } catch (error) {
      send(response, failure(error, request, options.log));
    }
    answered?.(response.statusCode);
  }

  async function probe(path: string | undefined): Promise<Response> {
    switch (path) {
      case '/health/liveness':
        return textResponse(200, 'OK');
      case '/health/readiness':
        return draining ? textResponse(503, 'ends') : textResponse(200, 'OK');
      case '/metrics':
        return metrics.response();
      default:
        return textResponse(404, 'a function has /, /health/liveness, /health/readiness and /metrics');
    }
  }

  async function end(): Promise<void> {
    if (draining) return;
    draining = true;
    const deadline = AbortSignal.timeout(drainMs);
    for (const response of unanswered) await once(response, 'close', { signal: deadline }).catch(() => {});
    await module.shutdown?.();
    // Connections that queue-proxy keeps for the next request would hold the process.
    process.exit(0);
  }

  server.listen(port);
  await once(server, 'listening');
  metrics.listening();
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  return server;
}

async function invoke(
  module: FunctionModule,
  request: IncomingMessage,
  query: string | undefined,
  { log, maxBytes }: ServeOptions,
): Promise<Response> {
  if (!['GET', 'POST'].includes(request.method ?? '')) return textResponse(405, 'a function takes POST and GET');
  const context = contextOf(request, query, await readBody(request, maxBytes), log);
  return responseOf(await module.handle(context, context.cloudevent ?? context.body));
}

function failure(error: unknown, request: IncomingMessage, log: JsonLog): Response {
  if (error instanceof TooLongError) return textResponse(413, error.message);
  // Nobody is there any more to read it.
  if (request.errored) return textResponse(400, 'the request was not sent to its end');
  log.error(`the function threw: ${error instanceof Error ? error.stack : error}`);
  return textResponse(500, 'unexpected error, see the log of the function');
}

/** @throws Error for a status or a header that HTTP does not have, before anything is sent */
function send(response: ServerResponse, { status, headers, body }: Response): void {
  const length = status === 204 ? {} : { 'content-length': Buffer.byteLength(body) };
  response.writeHead(status, { ...headers, ...length }).end(body);
}
