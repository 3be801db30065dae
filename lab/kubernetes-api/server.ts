import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { loadAdmission } from './admission/admission.ts';
import { type Answer, handleApiRequest } from './api-handler.ts';
import { selfSignedCertificate } from './certificate.ts';
import { discovery } from './discovery.ts';
import { ApiError, pathNotFound, unauthorized } from './errors.ts';
import { kubeconfigYaml } from './kubeconfig.ts';
import { denySecondMigration } from './kubevirt-webhook.ts';
import { type AdmissionController, Operations } from './operations.ts';
import { type ApiRequest, parseRequest } from './request.ts';
import { RequestLog } from './request-log.ts';
import { apiVersionOf, findResource, type Resource, resources } from './resources.ts';
import { type SidePaths, sideAnswer } from './side-paths.ts';
import { Store } from './store.ts';

export interface KubernetesApiOptions {
  /** TCP port on 127.0.0.1; 0, the default, takes a free one. */
  readonly port?: number;
  /** YAML files with MutatingAdmissionPolicies and their bindings. */
  readonly admission?: readonly string[];
  /** Whether KubeVirt's webhook looks at VMIMs (`kubevirt-webhook.ts`). */
  readonly kubevirtWebhook?: boolean;
  /** File that gets one line of JSON per request. */
  readonly log?: string;
  /** How many writes a watch can resume from; 10 000 by default. */
  readonly history?: number;
}

export interface KubernetesApi {
  /** `https://127.0.0.1:PORT` */
  readonly url: string;
  /** YAML, with the bearer token that the server demands. */
  readonly kubeconfig: string;
  /** Kinds that are not served, each as `GROUP/VERSION/plural`, or all of a `GROUP/VERSION`; to be changed at any time. */
  readonly hidden: Set<string>;
  readonly sidePaths: SidePaths;
  /** Ends all watches and stops listening. */
  close(): Promise<void>;
}

/**
 * Starts an API server with namespaces `default` and `kube-system`, and nothing in them. It follows Kubernetes 1.34 in
 * what it serves (`resources.ts`); it has no server-side apply, dryRun, deletecollection, protobuf and OpenAPI, no
 * authorization, and its lists come whole (`limit` is ignored) and as of now.
 */
export async function startKubernetesApi(options: KubernetesApiOptions = {}): Promise<KubernetesApi> {
  const store = new Store(options.history ?? 10_000);
  const policies = await loadAdmission(options.admission ?? []);
  const webhook = denySecondMigration(store);
  // Validation comes after mutation, as in the real one.
  const admission: AdmissionController = (write) => webhook({ ...write, object: policies(write) });
  const operations = new Operations(store, options.kubevirtWebhook ? admission : policies);
  for (const name of ['default', 'kube-system']) operations.create(namespaces, '', { metadata: { name } });

  const token = randomBytes(24).toString('base64url');
  const log = options.log === undefined ? undefined : await RequestLog.open(options.log);
  const hidden = new Set<string>();
  const sidePaths: SidePaths = { services: new Map(), logs: new Map() };
  const certificate = await selfSignedCertificate();
  const server = createServer(
    certificate,
    (request, response) => void respond({ store, operations, token, log, hidden, sidePaths }, request, response),
  );
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  // As kube-apiserver has it; Node's own 5 s break the reuse of a connection by a client that pauses.
  server.keepAliveTimeout = 90_000;
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const kubeconfig = kubeconfigYaml(url, certificate.cert, token);
  return { url, kubeconfig, hidden, sidePaths, close: () => close(server, sockets, log) };
}

const namespaces = findResource('', 'v1', 'namespaces')!;

interface Context {
  readonly store: Store;
  readonly operations: Operations;
  readonly token: string;
  readonly log: RequestLog | undefined;
  readonly hidden: ReadonlySet<string>;
  readonly sidePaths: SidePaths;
}

async function respond(context: Context, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(`https://localhost${request.url ?? '/'}`);
  let api: ApiRequest | undefined;
  let answer: Answer | undefined;
  try {
    authenticate(context.token, request);
    const isServed = (resource: Resource) => !isHidden(context.hidden, resource);
    answer = fixedAnswer(request, url, resources.filter(isServed));
    answer ??= await sideAnswer(context.sidePaths, request, url);
    if (!answer) {
      api = parseRequest(request.method ?? 'GET', url);
      if (!isServed(api.resource)) throw pathNotFound();
      answer = await handleApiRequest(context.store, context.operations, api, url, request, response);
    }
  } catch (error) {
    answer = errorAnswer(error);
  }
  context.log?.write({
    at: new Date().toISOString(),
    verb: api?.verb ?? (request.method ?? '').toLowerCase(),
    resource: api ? [api.resource.plural, api.subresource].filter(Boolean).join('/') : url.pathname,
    namespace: api?.namespace,
    name: api?.name || undefined,
    status: answer?.code ?? response.statusCode,
    userAgent: request.headers['user-agent'],
  });
  if (!answer || response.headersSent) return;
  const plain = typeof answer.body === 'string';
  response.writeHead(answer.code, { 'content-type': plain ? 'text/plain; charset=utf-8' : 'application/json' });
  response.end(plain ? answer.body : JSON.stringify(answer.body));
}

function authenticate(token: string, request: IncomingMessage): void {
  if (request.headers.authorization !== `Bearer ${token}`) throw unauthorized();
}

const health = ['/readyz', '/livez', '/healthz'];

/** What is answered without looking at any object. */
function fixedAnswer({ method }: IncomingMessage, { pathname }: URL, served: readonly Resource[]): Answer | undefined {
  if (method !== 'GET') return undefined;
  if (health.includes(pathname)) return { code: 200, body: 'ok' };
  const body = discovery(pathname, served);
  return body === undefined ? undefined : { code: 200, body };
}

function isHidden(hidden: ReadonlySet<string>, resource: Resource): boolean {
  const apiVersion = apiVersionOf(resource);
  return hidden.has(apiVersion) || hidden.has(`${apiVersion}/${resource.plural}`);
}

function errorAnswer(error: unknown): Answer {
  if (!(error instanceof ApiError)) console.error(error);
  const { status } =
    error instanceof ApiError ? error : new ApiError(500, 'InternalError', `Internal error occurred: ${String(error)}`);
  return { code: status.code, body: status };
}

/** `closeAllConnections` would leave those that are still in their TLS handshake, and wait for them. */
async function close(server: Server, sockets: ReadonlySet<Socket>, log: RequestLog | undefined): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  for (const socket of sockets) socket.destroy();
  await closed;
  await log?.close();
}
