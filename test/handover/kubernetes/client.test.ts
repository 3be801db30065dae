import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createProxy } from 'node:http';
import { createServer, type Server } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';
import { kubernetesClient } from '../../../handover/kubernetes/client.ts';
import type { KubernetesApi } from '../../../handover/kubernetes/kubernetes.ts';
import { selfSignedCertificate } from '../../../lab/kubernetes-api/certificate.ts';
import { pod } from '../support/moments.ts';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, unknown>;
  readonly body: string;
}

const VMI = { namespace: 'prod', name: 'web-01' };
const REMARK = { type: 'Normal', reason: 'PortPinned', message: 'pinned' } as const;
const TARGET = pod('target-02-scheduled');

/** Answers what it is told to, and keeps what it was asked. */
let server: Server;
let sockets: Set<Socket>;
let seen: Seen[];
let answer: { status: number; body: string };
let certificate: { cert: string; key: string };

beforeAll(async () => {
  certificate = await selfSignedCertificate();
});
beforeEach(async () => {
  [sockets, seen, answer] = [new Set(), [], { status: 200, body: '{"items":[]}' }];
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

function client(user: object = {}, cluster: object = {}): KubernetesApi {
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
  return kubernetesClient('ovn-handover/test', config);
}

describe('requests', () => {
  test('name the function and carry its token, and read the most recent state', async () => {
    await client().listLauncherPods('prod', 'uid-1');
    expect(seen).toMatchObject([
      { method: 'GET', headers: { authorization: 'Bearer secret', 'user-agent': 'ovn-handover/test' } },
    ]);
    expect(decodeURIComponent(seen[0]!.url)).toBe(
      '/api/v1/namespaces/prod/pods?labelSelector=kubevirt.io=virt-launcher,kubevirt.io/created-by=uid-1',
    );
  });

  test('go to the one path that each is about', async () => {
    const api = client();
    await api.listMigrations();
    await api.listMigrations(VMI);
    await api.getVmi(VMI);
    await api.patchPod(TARGET, {});
    await api.createEvent({ ...VMI, uid: 'u1' }, 'reuse-port', REMARK);
    const kubevirt = '/apis/kubevirt.io/v1';
    expect(seen.map(({ method, url }) => `${method} ${decodeURIComponent(url)}`)).toEqual([
      `GET ${kubevirt}/virtualmachineinstancemigrations`,
      `GET ${kubevirt}/namespaces/prod/virtualmachineinstancemigrations?labelSelector=kubevirt.io/vmi-name=web-01`,
      `GET ${kubevirt}/namespaces/prod/virtualmachineinstances/web-01`,
      `PATCH /api/v1/namespaces/prod/pods/${TARGET.metadata.name}`,
      'POST /api/v1/namespaces/prod/events',
    ]);
    expect(seen.map(({ headers }) => headers.accept)).toEqual(Array(5).fill('application/json'));
  });

  test('a VMI whose name just fits a label is looked for by it', async () => {
    await client().listMigrations({ namespace: 'prod', name: 'a'.repeat(63) });
    expect(seen[0]!.url).toContain('labelSelector');
  });

  test('an event has all that kubectl describe shows, and a name of its own for each line', async () => {
    const api = client();
    const vmi = { ...VMI, uid: 'u1' };
    const told = async (...line: Parameters<typeof api.createEvent>) => {
      await api.createEvent(...line);
      return JSON.parse(seen.at(-1)!.body);
    };
    const event = await told(vmi, 'reuse-port', REMARK);
    expect(event).toEqual({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: expect.stringMatching(/^web-01\.[0-9a-f]{16}$/), namespace: 'prod' },
      involvedObject: { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance', ...vmi },
      ...REMARK,
      source: { component: 'reuse-port' },
      reportingComponent: 'ovn-handover.dev/reuse-port',
      reportingInstance: 'reuse-port',
      firstTimestamp: expect.stringMatching(/^20/),
      lastTimestamp: event.firstTimestamp,
      count: 1,
    });
    const others = [
      await told({ ...vmi, uid: 'u2' }, 'reuse-port', REMARK),
      await told(vmi, 'reconcile', REMARK),
      await told(vmi, 'reuse-port', { ...REMARK, reason: 'PortDual' }),
      await told(vmi, 'reuse-port', { ...REMARK, message: 'dual' }),
    ];
    expect(new Set([event, ...others].map(({ metadata }) => metadata.name)).size).toBe(5);
  });

  test('share a connection', async () => {
    const api = client();
    for (let i = 0; i < 5; i++) await api.getVmi(VMI);
    expect(sockets.size).toBe(1);
  });

  test('of a burst share a few', async () => {
    const api = client();
    await Promise.all(Array.from({ length: 200 }, () => api.getVmi(VMI)));
    expect(seen).toHaveLength(200);
    expect(sockets.size).toBeLessThanOrEqual(16);
  });

  test('are sent once more when the server ends a connection that was kept', async () => {
    const api = client();
    await api.getVmi(VMI);
    server.once('request', (request) => request.socket.destroy());
    expect(await api.getVmi(VMI)).toEqual({ items: [] });
    expect(sockets.size).toBe(2);
  });

  test('are not sent once more on a connection that was new', async () => {
    server.on('request', (request) => request.socket.destroy());
    await expect(client().getVmi(VMI)).rejects.toThrow(/hang up|ECONNRESET/);
    expect(sockets.size).toBe(1);
  });

  test('are not sent once more when the answer on a kept connection is no HTTP', async () => {
    const api = client();
    await api.getVmi(VMI);
    server.once('request', (request) => request.socket.end('SSH-2.0\r\n\r\n'));
    await expect(api.getVmi(VMI)).rejects.toThrow(/Parse Error/);
    expect(sockets.size).toBe(1);
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
      const api = client({}, { proxyUrl: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` });
      expect(await api.getVmi(VMI)).toEqual({ items: [] });
      expect(through).toEqual([`127.0.0.1:${port()}`]);
    } finally {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    }
  });

  test.each(['../../nodes', 'a/b', 'a?x=y', 'a#b', '%2e%2e', 'a b'])(
    'a VMI named %j stays one segment',
    async (name) => {
      await client().getVmi({ namespace: 'prod', name });
      const segments = seen[0]!.url.split('?')[0]!.split('/');
      expect(segments.slice(0, -1).join('/')).toBe('/apis/kubevirt.io/v1/namespaces/prod/virtualmachineinstances');
      expect(decodeURIComponent(segments.at(-1)!)).toBe(name);
    },
  );

  test('a VMI whose name is no label value is looked for among all VMIMs of its namespace', async () => {
    await client().listMigrations({ namespace: 'prod', name: 'a'.repeat(64) });
    expect(seen[0]!.url).not.toContain('labelSelector');
  });

  test('patch a pod by JSON merge patch, and write an event once', async () => {
    const api = client();
    await api.patchPod(TARGET, { metadata: { annotations: { a: 'b' } } });
    await api.createEvent({ ...VMI, uid: 'u1' }, 'reuse-port', REMARK);
    await api.createEvent({ ...VMI, uid: 'u1' }, 'reuse-port', REMARK);
    expect(seen[0]).toMatchObject({
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: '{"metadata":{"annotations":{"a":"b"}}}',
    });
    expect(seen[1]).toMatchObject({ method: 'POST', headers: { 'content-type': 'application/json' } });
    const [first, second] = seen.slice(1).map(({ body }) => JSON.parse(body));
    expect(first).toMatchObject({ kind: 'Event', involvedObject: { name: 'web-01', uid: 'u1' }, reason: 'PortPinned' });
    expect(second.metadata.name).toBe(first.metadata.name);
  });
});

describe('answers', () => {
  test('200: what is there', async () => {
    answer = { status: 200, body: '{"items":[{"a":1}],"metadata":{"name":"web-01"}}' };
    const api = client();
    expect(await api.listMigrations(VMI)).toEqual([{ a: 1 }]);
    expect(await api.listLauncherPods('prod', 'u')).toEqual([{ a: 1 }]);
    expect(await api.getVmi(VMI)).toMatchObject({ metadata: { name: 'web-01' } });
    expect(await api.patchPod(TARGET, {})).toBe('patched');
  });

  test.each<[string, (api: KubernetesApi) => Promise<unknown>]>([
    ['list VMIMs', (api) => api.listMigrations()],
    ['list VMIMs of VMI prod/web-01', (api) => api.listMigrations(VMI)],
    ['list virt-launcher pods of VMI u1 in prod', (api) => api.listLauncherPods('prod', 'u1')],
    [`patch pod prod/${TARGET.metadata.name}`, (api) => api.patchPod(TARGET, {})],
    ['create event for VMI prod/web-01', (api) => api.createEvent({ ...VMI, uid: 'u1' }, 'x', REMARK)],
  ])('that refuse say what was asked: %s', async (what, ask) => {
    answer = { status: 300, body: '{}' };
    await expect(ask(client())).rejects.toThrow(`Kubernetes API: ${what}: HTTP 300`);
  });

  test.each([201, 299])('%d: done', async (status) => {
    answer = { status, body: '{}' };
    expect(await client().patchPod(TARGET, {})).toBe('patched');
  });

  test('404: there is no such object', async () => {
    answer = { status: 404, body: '{}' };
    const api = client();
    expect(await api.getVmi(VMI)).toBeUndefined();
    expect(await api.listMigrations()).toEqual([]);
    expect(await api.patchPod(TARGET, {})).toBe('gone');
  });

  test('409: the pod was changed, the event is told already', async () => {
    answer = { status: 409, body: '{}' };
    const api = client();
    expect(await api.patchPod(TARGET, {})).toBe('conflict');
    await api.createEvent({ ...VMI, uid: 'u1' }, 'reuse-port', REMARK);
  });

  test.each([401, 403, 410, 429, 500, 503])('%d: try again, and what it was about', async (status) => {
    answer = { status, body: 'no JSON' };
    await expect(client().getVmi(VMI)).rejects.toMatchObject({
      name: 'TryAgainError',
      message: `Kubernetes API: get VMI prod/web-01: HTTP ${status}`,
      cause: { message: `HTTP ${status}` },
    });
  });

  test('no JSON, or no server: try again, without the token in what is said', async () => {
    answer = { status: 200, body: '<html>' };
    const api = client();
    const said = async () => String(await api.getVmi(VMI).catch((error) => `${error} ${error.cause?.stack}`));
    expect(await said()).toMatch(/^TryAgainError: Kubernetes API: get VMI prod\/web-01: .*JSON/);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(await said()).toMatch(/ECONNREFUSED|ECONNRESET|hang up/);
    expect(await said()).not.toContain('secret');
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
    expect(() => kubernetesClient('x', new KubeConfig())).toThrow('settings: KUBECONFIG names no cluster');
  });

  test('must be given outside a cluster: no home directory and no server on this host is tried', () => {
    delete process.env.KUBECONFIG;
    delete process.env.KUBERNETES_SERVICE_HOST;
    expect(() => kubernetesClient('x')).toThrow(
      expect.objectContaining({
        name: 'SettingsError',
        message: 'settings: KUBECONFIG must be set outside a cluster',
      }),
    );
  });

  test('that cannot be read is a setting that is wrong', () => {
    process.env.KUBECONFIG = '/nowhere/kubeconfig';
    expect(() => kubernetesClient('x')).toThrow(
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
    await expect(kubernetesClient('x').getVmi(VMI)).rejects.toThrow('/var/run/secrets/kubernetes.io/serviceaccount');
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
    const api = client({ token: undefined, authProvider: { name: 'tokenFile', config: { tokenFile } } });
    await api.getVmi(VMI);
    writeFileSync(tokenFile, 'second');
    jest.useFakeTimers({
      now: Date.now() + 61_000,
      doNotFake: ['nextTick', 'setImmediate', 'setTimeout', 'queueMicrotask'],
    });
    await api.getVmi(VMI);
    expect(seen.map(({ headers }) => headers.authorization)).toEqual(['Bearer first', 'Bearer second']);
  });
});
