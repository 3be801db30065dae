import { json } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { OBJECT } from './support/encodings.ts';
import { type FunctionProcess, startFunction } from './support/function-process.ts';
import { SENDABLE, send } from './support/send.ts';

let func: FunctionProcess;

beforeAll(async () => {
  func = await startFunction(fileURLToPath(new URL('support/answering-function.ts', import.meta.url)));
}, 40_000);
afterAll(() => func?.stop());

const POD = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-01', namespace: 'prod' } };

function post(headers: Record<string, string>, body: unknown = POD): Promise<Response> {
  return fetch(func.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

const EVENT = {
  'ce-specversion': '1.0',
  'ce-id': '1',
  'ce-source': 'https://10.96.0.1:443',
  'ce-type': 'dev.knative.apiserver.resource.update',
  'ce-subject': '/apis/v1/namespaces/prod/pods/web-01',
};

describe('what the broker sees of an answer, through faas-js-runtime', () => {
  it('sends an applied change as a binary CloudEvent', async () => {
    const response = await post(EVENT);
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'ce-specversion': '1.0',
      'ce-id': 'an-id',
      'ce-type': 'test.read',
      'ce-source': '/test',
      'ce-subject': 'prod/Zo%C3%AB',
      'ce-attempt': '3',
      'content-type': expect.stringMatching(/^application\/json/),
    });
    expect(await response.json()).toEqual({
      action: 'update',
      subject: '/apis/v1/namespaces/prod/pods/web-01',
      name: 'web-01',
    });
  });

  it('sends a CloudEvent without data with an empty body', async () => {
    const response = await post({ ...EVENT, 'ce-wish': 'dataless' });
    expect(response.status).toBe(200);
    expect(response.headers.get('ce-type')).toBe('test.dataless');
    expect(await response.text()).toBe('');
  });

  it('sends data that is not JSON as it is', async () => {
    const response = await post({ ...EVENT, 'ce-wish': 'text' });
    expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(await response.text()).toBe('so be it');
  });

  it('sends nothing but 204 when there is nothing to do', async () => {
    const response = await post({ ...EVENT, 'ce-wish': 'nothing' });
    expect(response.status).toBe(204);
    expect(await response.text()).toBe('');
    expect([...response.headers.keys()].filter((name) => name.startsWith('ce-'))).toEqual([]);
  });

  it('sends a transient failure as 503 with Retry-After in whole seconds and one line', async () => {
    const response = await post({ ...EVENT, 'ce-wish': 'again' });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('2');
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await response.text()).toBe('OVN is away: connection rejected');
  });

  it('sends a rejection with its status and one line', async () => {
    const response = await post({ ...EVENT, 'ce-wish': 'reject' });
    expect(response.status).toBe(422);
    expect(await response.text()).toBe('no such VMI');
  });
});

describe('what an event may be', () => {
  // Fastify itself ends a request in UTF-16: it counts the characters.
  it.each(SENDABLE.filter(([name]) => !name.endsWith('UTF-16')))(
    'reads one in any encoding: %s',
    async (_, message) => {
      const response = await send(func.url, message);
      expect(await json(response)).toMatchObject({ action: 'add', name: OBJECT.metadata.name });
    },
  );

  it('reads an event in structured mode', async () => {
    const response = await post(
      { 'content-type': 'application/cloudevents+json' },
      {
        specversion: '1.0',
        id: '1',
        source: 'https://10.96.0.1:443',
        type: 'dev.knative.apiserver.resource.delete',
        datacontenttype: 'application/json',
        data: POD,
      },
    );
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ action: 'delete', name: 'web-01' });
  });

  it('reads a ping event', async () => {
    const response = await post(
      { ...EVENT, 'ce-type': 'dev.knative.sources.ping', 'ce-source': '/apis/v1/namespaces/x/pingsources/reconcile' },
      { sweep: true },
    );
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      id: '1',
      source: '/apis/v1/namespaces/x/pingsources/reconcile',
      data: { sweep: true },
    });
  });

  it.each<[string, Record<string, string>, unknown, number, string]>([
    ['that is plain JSON', {}, { hello: 'world' }, 400, '/specversion: expected "1.0", got nothing'],
    ['that is empty', { 'content-type': 'text/plain' }, '', 400, '(the event): expected a CloudEvent, got ""'],
    [
      'of another type',
      { ...EVENT, 'ce-type': 'com.example.order' },
      POD,
      422,
      '/type: expected dev.knative.apiserver.resource.{add,update,delete}, got "com.example.order"',
    ],
    [
      'in Reference mode',
      { ...EVENT, 'ce-type': 'dev.knative.apiserver.ref.update' },
      POD,
      422,
      '/type: expected dev.knative.apiserver.resource.{add,update,delete}, got "dev.knative.apiserver.ref.update"; ' +
        'set "mode: Resource" on the ApiServerSource',
    ],
    ['whose data is a list', EVENT, [], 422, '/data: expected an object, got an array'],
    ['whose data is no object', EVENT, '"pod"', 422, '/data: expected an object, got "pod"'],
    ['whose object has no kind', EVENT, { ...POD, kind: '' }, 422, '/data/kind: expected a non-empty string, got ""'],
    ['whose object has no metadata', EVENT, { kind: 'Pod' }, 422, '/data/metadata: expected an object, got nothing'],
    [
      'whose object has a number for a name',
      EVENT,
      { ...POD, metadata: { name: 7 } },
      422,
      '/data/metadata/name: expected a non-empty string, got a number',
    ],
  ])('rejects an event %s with a line that says what and where', async (_, headers, body, status, line) => {
    const response = await post(headers, body);
    expect({ status: response.status, body: await response.text() }).toEqual({ status, body: line });
  });
});
