import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createProxy } from 'node:http';
import { createServer, type Server } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';
import { type Exchange, type HttpRequest, httpsExchange } from '../../../handover/kubernetes/http.ts';
import { selfSignedCertificate } from '../../../lab/kubernetes-api/certificate.ts';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, unknown>;
  readonly body: string;
}

const GET: HttpRequest = { method: 'GET', path: ['api', 'v1', 'pods'] };

/** Answers what it is told to, and keeps what it was asked. */
let server: Server;
let sockets: Set<Socket>;
let seen: Seen[];
let answer: { readonly status: number; readonly body: string };
let certificate: { cert: string; key: string };

beforeAll(async () => {
  certificate = await selfSignedCertificate();
});
beforeEach(async () => {
  [sockets, seen, answer] = [new Set(), [], { status: 200, body: 'pods' }];
  server = createServer(certificate, async (request, response) => {
    const { method = '', url = '', headers } = request;
    seen.push({ method, url, headers, body: Buffer.concat(await request.toArray()).toString() });
    response.writeHead(answer.status).end(answer.body);
  });
  server.on('secureConnection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

const port = () => (server.address() as AddressInfo).port;

function exchangeAs(user: object = {}, cluster: object = {}): Exchange {
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    {
      name: 'c',
      server: `https://127.0.0.1:${port()}`,
      caData: Buffer.from(certificate.cert).toString('base64'),
      skipTLSVerify: false,
      ...cluster,
    },
    { name: 'u', token: 'secret', ...user },
  );
  return httpsExchange('ovn-handover/test', config);
}

describe('requests', () => {
  test('name the function, carry its token and ask for JSON', async () => {
    await exchangeAs()({ ...GET, query: { labelSelector: 'kubevirt.io=virt-launcher,a' } });
    expect(seen).toMatchObject([
      {
        method: 'GET',
        headers: {
          authorization: 'Bearer secret',
          'user-agent': 'ovn-handover/test',
          accept: 'application/json',
          'content-type': 'application/json',
        },
        body: '',
      },
    ]);
    expect(decodeURIComponent(seen[0]!.url)).toBe('/api/v1/pods?labelSelector=kubevirt.io=virt-launcher,a');
  });

  test('without a query have none', async () => {
    await exchangeAs()(GET);
    expect(seen[0]!.url).toBe('/api/v1/pods');
  });

  test('carry a body as JSON; that of a PATCH is a merge patch', async () => {
    const exchange = exchangeAs();
    await exchange({ ...GET, method: 'POST', body: { a: 1 } });
    await exchange({ ...GET, method: 'PATCH', body: { b: [] } });
    expect(seen).toMatchObject([
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a":1}' },
      { method: 'PATCH', headers: { 'content-type': 'application/merge-patch+json' }, body: '{"b":[]}' },
    ]);
  });

  test.each(['../../nodes', 'a/b', 'a?x=y', 'a#b', '%2e%2e', 'a b'])(
    'keep %j one segment of a path',
    async (segment) => {
      await exchangeAs()({ ...GET, path: ['api', segment] });
      const segments = seen[0]!.url.split('?')[0]!.split('/');
      expect(segments.slice(0, -1)).toEqual(['', 'api']);
      expect(decodeURIComponent(segments.at(-1)!)).toBe(segment);
    },
  );

  test('go below the path that the kubeconfig names', async () => {
    await exchangeAs({}, { server: `https://127.0.0.1:${port()}/k8s/clusters/c` })(GET);
    expect(seen[0]!.url).toBe('/k8s/clusters/c/api/v1/pods');
  });

  test.each([200, 404, 409, 503])('are answered by status and content, whatever they are: %d', async (status) => {
    answer = { status, body: `ünïcödé ${status}` };
    expect(await exchangeAs()(GET)).toEqual({ status, content: answer.body });
  });

  test('share a connection', async () => {
    const exchange = exchangeAs();
    for (let i = 0; i < 5; i++) await exchange(GET);
    expect(sockets.size).toBe(1);
  });

  test('of a burst share a few', async () => {
    const exchange = exchangeAs();
    await Promise.all(Array.from({ length: 200 }, () => exchange(GET)));
    expect(seen).toHaveLength(200);
    expect(sockets.size).toBeLessThanOrEqual(16);
  });

  test('are sent once more when the server ends a connection that was kept', async () => {
    const exchange = exchangeAs();
    await exchange(GET);
    server.once('request', (request) => request.socket.destroy());
    expect(await exchange({ ...GET, method: 'POST', body: { a: 1 } })).toEqual({ status: 200, content: 'pods' });
    expect(seen.at(-1)).toMatchObject({ method: 'POST', body: '{"a":1}' });
    expect(sockets.size).toBe(2);
  });

  test('are not sent once more on a connection that was new', async () => {
    server.on('request', (request) => request.socket.destroy());
    await expect(exchangeAs()(GET)).rejects.toThrow(/hang up|ECONNRESET/);
    expect(sockets.size).toBe(1);
  });

  test('are not sent once more when the answer on a kept connection is no HTTP', async () => {
    const exchange = exchangeAs();
    await exchange(GET);
    server.once('request', (request) => request.socket.end('SSH-2.0\r\n\r\n'));
    await expect(exchange(GET)).rejects.toThrow(/Parse Error/);
    expect(sockets.size).toBe(1);
  });

  test('to a server that is away fail, without the token in what is said', async () => {
    const exchange = exchangeAs();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    const error = await exchange(GET).catch((error: Error) => error);
    expect(String(error)).toMatch(/ECONNREFUSED/);
    expect(`${error} ${(error as Error).stack}`).not.toContain('secret');
  });

  test('go through the proxy that the kubeconfig names', async () => {
    const through: string[] = [];
    const proxy = createProxy().on('connect', ({ url = '' }, socket) => {
      through.push(url);
      const onwards = connect(port(), '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
      socket.pipe(onwards).pipe(socket);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    try {
      const proxyUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
      expect(await exchangeAs({}, { proxyUrl })(GET)).toEqual({ status: 200, content: 'pods' });
      expect(through).toEqual([`127.0.0.1:${port()}`]);
    } finally {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    }
  });
});

describe('a kubeconfig', () => {
  const environment = process.env;
  beforeEach(() => {
    process.env = { ...environment };
  });
  afterEach(() => {
    process.env = environment;
  });

  test('that names no cluster is a setting that is wrong', () => {
    expect(() => httpsExchange('x', new KubeConfig())).toThrow('settings: KUBECONFIG names no cluster');
  });

  test('must be given outside a cluster: no home directory and no server on this host is tried', () => {
    delete process.env.KUBECONFIG;
    delete process.env.KUBERNETES_SERVICE_HOST;
    expect(() => httpsExchange('x')).toThrow(
      expect.objectContaining({
        name: 'SettingsError',
        message: 'settings: KUBECONFIG must be set outside a cluster',
      }),
    );
  });

  test('that cannot be read is a setting that is wrong', () => {
    process.env.KUBECONFIG = '/nowhere/kubeconfig';
    expect(() => httpsExchange('x')).toThrow(
      expect.objectContaining({
        name: 'SettingsError',
        message: expect.stringMatching(/^settings: KUBECONFIG: .*\/nowhere\/kubeconfig/),
        cause: expect.anything(),
      }),
    );
  });

  test('is not wanted in a pod, whose service account is used', async () => {
    delete process.env.KUBECONFIG;
    Object.assign(process.env, { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: '1' });
    await expect(httpsExchange('x')(GET)).rejects.toThrow('/var/run/secrets/kubernetes.io/serviceaccount');
  });
});

describe('in a pod', () => {
  const directory = mkdtempSync(join(tmpdir(), 'handover-token-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  afterEach(() => {
    jest.useRealTimers();
  });

  test('the mounted token is read again when it has been rotated', async () => {
    const tokenFile = join(directory, 'token');
    writeFileSync(tokenFile, 'first');
    const exchange = exchangeAs({ token: undefined, authProvider: { name: 'tokenFile', config: { tokenFile } } });
    await exchange(GET);
    writeFileSync(tokenFile, 'second');
    jest.useFakeTimers({
      now: Date.now() + 61_000,
      doNotFake: ['nextTick', 'setImmediate', 'setTimeout', 'queueMicrotask'],
    });
    await exchange(GET);
    expect(seen.map(({ headers }) => headers.authorization)).toEqual(['Bearer first', 'Bearer second']);
  });
});
