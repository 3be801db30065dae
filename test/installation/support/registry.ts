import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** A registry that takes what is pushed to it (OCI distribution-spec 1.1, "Push"), as far as Buildah asks for it. */
export class Registry implements AsyncDisposable {
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  readonly #blobs = new Set<string>();
  readonly #uploads = new Map<string, Buffer[]>();
  /** Of manifests, by the tags or digests that they were pushed with. */
  readonly digests = new Map<string, string>();

  static async start(): Promise<Registry> {
    const registry = new Registry();
    registry.#server.listen(0, '127.0.0.1');
    await once(registry.#server, 'listening');
    return registry;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, 'http://registry');
    const [, name, kind, reference = ''] = /^\/v2\/(.+)\/(blobs|manifests)\/(.*)$/.exec(url.pathname) ?? [];
    const body = await buffer(request);
    const upload = reference.replace(/^uploads\//, '');
    const done = (status: number, headers: Record<string, string> = {}) => response.writeHead(status, headers).end();
    if (kind === undefined) return void done(url.pathname === '/v2/' ? 200 : 404);
    if (kind === 'manifests') {
      if (request.method !== 'PUT') return void done(404);
      this.digests.set(reference, digestOf(body));
      return void done(201, { 'docker-content-digest': digestOf(body) });
    }
    switch (request.method) {
      case 'POST': {
        const id = randomUUID();
        this.#uploads.set(id, []);
        return void done(202, { location: `/v2/${name}/blobs/uploads/${id}` });
      }
      case 'PATCH':
        this.#uploads.get(upload)!.push(body);
        return void done(202, { location: url.pathname });
      case 'PUT': {
        const digest = digestOf(Buffer.concat([...this.#uploads.get(upload)!, body]));
        if (digest !== url.searchParams.get('digest')) return void done(400);
        this.#blobs.add(digest);
        return void done(201, { 'docker-content-digest': digest });
      }
      default:
        return void done(this.#blobs.has(reference) ? 200 : 404);
    }
  }
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
