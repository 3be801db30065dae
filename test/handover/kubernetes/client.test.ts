import { beforeEach, describe, expect, test } from '@jest/globals';
import { kubernetesClient } from '../../../handover/kubernetes/client.ts';
import type { HttpRequest } from '../../../handover/kubernetes/http.ts';
import type { KubernetesApi } from '../../../handover/kubernetes/kubernetes.ts';
import { pod, vmim } from '../../../testkit/moments.ts';

const VMI = { namespace: 'prod', name: 'web-01' };
const EVENT = { metadata: { name: 'web-01.1', namespace: 'prod' } };
const VMIM = vmim('06-running');
const { name: vmimName } = VMIM.metadata;
const TARGET = pod('target-02-scheduled');
const { name: targetName } = TARGET.metadata;

let sent: HttpRequest[];
let answer: { status: number; content: string };
let api: KubernetesApi;
beforeEach(() => {
  [sent, answer] = [[], { status: 200, content: '{"items":[]}' }];
  api = kubernetesClient(async (request) => {
    sent.push(request);
    return answer;
  });
});

/** A Status as kube-apiserver writes it of an object that is not there. */
const notFound = (name: string, change: object = {}) => ({
  status: 404,
  content: JSON.stringify({
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    reason: 'NotFound',
    details: { name, group: 'kubevirt.io', kind: 'virtualmachineinstances' },
    code: 404,
    ...change,
  }),
});

describe('requests', () => {
  const kubevirt = ['apis', 'kubevirt.io', 'v1'];
  const vmims = 'virtualmachineinstancemigrations';

  test('go to the one path that each is about, and read the most recent state', async () => {
    await api.listAllMigrations();
    await api.listMigrations(VMI, { labelled: true });
    await api.listMigrations(VMI, { labelled: false });
    await api.getVmi(VMI);
    await api.listLauncherPods('prod', 'uid-1');
    await api.listPendingTargets();
    await api.patchPod(TARGET, { metadata: {} });
    await api.getMigration(VMIM);
    await api.patchMigration(VMIM, { metadata: {} });
    await api.createEvent(EVENT);
    await api.getEvent(EVENT);
    await api.patchEvent(EVENT, { series: {} });
    const events = ['apis', 'events.k8s.io', 'v1', 'namespaces', 'prod', 'events'];
    expect(sent).toStrictEqual([
      { method: 'GET', path: [...kubevirt, vmims], query: {} },
      {
        method: 'GET',
        path: [...kubevirt, 'namespaces', 'prod', vmims],
        query: { labelSelector: 'kubevirt.io/vmi-name=web-01' },
      },
      { method: 'GET', path: [...kubevirt, 'namespaces', 'prod', vmims], query: {} },
      { method: 'GET', path: [...kubevirt, 'namespaces', 'prod', 'virtualmachineinstances', 'web-01'] },
      {
        method: 'GET',
        path: ['api', 'v1', 'namespaces', 'prod', 'pods'],
        query: { labelSelector: 'kubevirt.io=virt-launcher,kubevirt.io/created-by=uid-1' },
      },
      {
        method: 'GET',
        path: ['api', 'v1', 'pods'],
        query: {
          labelSelector: 'kubevirt.io=virt-launcher,kubevirt.io/migrationJobUID',
          fieldSelector: 'status.phase=Pending',
        },
      },
      {
        method: 'PATCH',
        path: ['api', 'v1', 'namespaces', 'prod', 'pods', targetName],
        body: { metadata: {} },
      },
      { method: 'GET', path: [...kubevirt, 'namespaces', 'prod', vmims, vmimName] },
      { method: 'PATCH', path: [...kubevirt, 'namespaces', 'prod', vmims, vmimName], body: { metadata: {} } },
      { method: 'POST', path: events, body: EVENT },
      { method: 'GET', path: [...events, 'web-01.1'] },
      { method: 'PATCH', path: [...events, 'web-01.1'], body: { series: {} } },
    ]);
  });

  test('look for a VMI’s migrations by its label as long as its name fits into one', async () => {
    for (const length of [63, 64]) {
      await api.listMigrations({ namespace: 'prod', name: 'a'.repeat(length) }, { labelled: true });
    }
    expect(sent.map(({ query }) => query)).toEqual([{ labelSelector: `kubevirt.io/vmi-name=${'a'.repeat(63)}` }, {}]);
  });
});

describe('an answer', () => {
  test('200 is what is there', async () => {
    answer = { status: 200, content: '{"items":[{"a":1}],"metadata":{"name":"web-01"}}' };
    expect(await api.listMigrations(VMI, { labelled: true })).toEqual([{ a: 1 }]);
    expect(await api.listAllMigrations()).toEqual([{ a: 1 }]);
    expect(await api.listLauncherPods('prod', 'u')).toEqual([{ a: 1 }]);
    expect(await api.listPendingTargets()).toEqual([{ a: 1 }]);
    expect(await api.getVmi(VMI)).toMatchObject({ metadata: { name: 'web-01' } });
    expect(await api.patchPod(TARGET, {})).toBe('patched');
    expect(await api.getMigration(VMIM)).toMatchObject({ metadata: { name: 'web-01' } });
    expect(await api.patchMigration(VMIM, {})).toBe('patched');
    expect(await api.createEvent(EVENT)).toBe('created');
    expect(await api.getEvent(EVENT)).toMatchObject({ metadata: { name: 'web-01' } });
    expect(await api.patchEvent(EVENT, {})).toBe('patched');
  });

  test.each([201, 299])('%d is done', async (status) => {
    answer = { status, content: '{}' };
    expect(await api.patchPod(TARGET, {})).toBe('patched');
  });

  test('404 that names the object says that there is none', async () => {
    answer = notFound('web-01');
    expect(await api.getVmi(VMI)).toBeUndefined();
    answer = notFound(targetName);
    expect(await api.patchPod(TARGET, {})).toBe('NotFound');
    answer = notFound(vmimName);
    expect(await api.getMigration(VMIM)).toBeUndefined();
    expect(await api.patchMigration(VMIM, {})).toBe('NotFound');
    answer = notFound('web-01.1');
    expect(await api.getEvent(EVENT)).toBeUndefined();
    expect(await api.patchEvent(EVENT, {})).toBe('NotFound');
  });

  test.each([
    ['of a path that is not served, in plain text', { status: 404, content: '404 page not found\n' }],
    ['without content', { status: 404, content: '' }],
    ['that is null', { status: 404, content: 'null' }],
    ['of a Status without details', notFound('', { details: undefined })],
    ['of a Status that names nothing', notFound('', { details: {} })],
    ['of a Status that names another object', notFound('web-02')],
    ['of a Status of another reason', notFound('web-01', { reason: 'Gone' })],
    ['of another kind than Status', notFound('web-01', { kind: 'VirtualMachineInstance' })],
  ])('404 %s says nothing of the object: try again', async (_what, content) => {
    answer = content;
    await expect(api.getVmi(VMI)).rejects.toMatchObject({
      name: 'TryAgainError',
      message: 'Kubernetes API: get VMI prod/web-01: HTTP 404',
    });
    await expect(api.patchPod(TARGET, {})).rejects.toThrow('HTTP 404');
  });

  test.each<[string, () => Promise<unknown>, string]>([
    ['list VMIMs', () => api.listAllMigrations(), 'virtualmachineinstancemigrations'],
    [
      'list VMIMs of VMI prod/web-01',
      () => api.listMigrations(VMI, { labelled: true }),
      'virtualmachineinstancemigrations',
    ],
    ['list virt-launcher pods of VMI u1 in prod', () => api.listLauncherPods('prod', 'u1'), 'pods'],
    ['list pending target pods', () => api.listPendingTargets(), 'pods'],
  ])('404 or 409 is no list: to %s is tried again', async (what, ask, resource) => {
    for (const name of [resource, '']) {
      answer = notFound(name);
      await expect(ask()).rejects.toMatchObject({
        name: 'TryAgainError',
        message: `Kubernetes API: ${what}: ${name ? 'NotFound' : 'HTTP 404'}`,
      });
    }
    answer = { status: 409, content: '{}' };
    await expect(ask()).rejects.toThrow(`Kubernetes API: ${what}: Conflict`);
  });

  test('409 says that the object was changed, or that the event is written already', async () => {
    answer = { status: 409, content: '{}' };
    expect(await api.patchPod(TARGET, {})).toBe('Conflict');
    expect(await api.patchMigration(VMIM, {})).toBe('Conflict');
    expect(await api.patchEvent(EVENT, {})).toBe('Conflict');
    expect(await api.createEvent(EVENT)).toBe('AlreadyExists');
  });

  test.each([199, 300, 401, 403, 410, 429, 500, 503])('%d: try again, and what it was about', async (status) => {
    answer = { status, content: 'no JSON' };
    await expect(api.getVmi(VMI)).rejects.toMatchObject({
      name: 'TryAgainError',
      message: `Kubernetes API: get VMI prod/web-01: HTTP ${status}`,
      cause: { message: `HTTP ${status}` },
    });
  });

  test.each<[string, () => Promise<unknown>]>([
    ['list VMIMs', () => api.listAllMigrations()],
    ['list VMIMs of VMI prod/web-01', () => api.listMigrations(VMI, { labelled: false })],
    ['list virt-launcher pods of VMI u1 in prod', () => api.listLauncherPods('prod', 'u1')],
    ['list pending target pods', () => api.listPendingTargets()],
    [`patch pod prod/${targetName}`, () => api.patchPod(TARGET, {})],
    [`get VMIM prod/${vmimName}`, () => api.getMigration(VMIM)],
    [`patch VMIM prod/${vmimName}`, () => api.patchMigration(VMIM, {})],
    ['create event prod/web-01.1', () => api.createEvent(EVENT)],
    ['get event prod/web-01.1', () => api.getEvent(EVENT)],
    ['patch event prod/web-01.1', () => api.patchEvent(EVENT, {})],
  ])('of an error says what was asked: %s', async (what, ask) => {
    answer = { status: 500, content: '{}' };
    await expect(ask()).rejects.toThrow(`Kubernetes API: ${what}: HTTP 500`);
  });

  test('that is no JSON, or none at all: try again', async () => {
    answer = { status: 200, content: '<html>' };
    await expect(api.getVmi(VMI)).rejects.toThrow(/^Kubernetes API: get VMI prod\/web-01: .*JSON/);
    const cause = new Error('connection reset');
    const away = kubernetesClient(() => Promise.reject(cause));
    await expect(away.getVmi(VMI)).rejects.toMatchObject({
      name: 'TryAgainError',
      message: 'Kubernetes API: get VMI prod/web-01: connection reset',
      cause,
    });
  });
});
