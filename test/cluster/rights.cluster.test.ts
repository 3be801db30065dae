/** What the tokens of our own ServiceAccounts may do, by the word of a real kube-apiserver. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { ApiClient } from './support/api-client.ts';
import { Installed } from './support/installed.ts';
import { NEEDED } from './support/rights.ts';
import { discover, isRefusal, sweep } from './support/sweep.ts';
import { printTable } from './support/table.ts';

jest.setTimeout(300_000);

let api: Installed;
beforeAll(async () => {
  api = await Installed.start();
});
afterAll(async () => {
  await api?.[Symbol.asyncDispose]();
});

test('each ServiceAccount may do what it needs, and every other verb on every resource is rejected', async () => {
  using administrator = new ApiClient(api.server.config);
  const resources = await discover(administrator);
  using newcomer = new ApiClient(await api.newcomer());
  const everybodys = (await sweep(newcomer, resources)).allowed;
  const granted: Record<string, readonly string[]> = {};
  const rejections: string[] = [];
  for (const account of Object.keys(NEEDED)) {
    using client = new ApiClient(api.account(account));
    const { allowed, rejected } = await sweep(client, resources);
    granted[account] = allowed.filter((right) => !everybodys.includes(right));
    rejections.push(`${rejected}`);
  }
  const rights = [...new Set(Object.values(granted).flat())].sort();
  printTable(`Each verb of ${resources.length} resources, in three namespaces and in all of them, with each token`, [
    ['', ...Object.keys(granted)],
    ...rights.map((right) => [right, ...Object.values(granted).map((own) => (own.includes(right) ? 'may' : '-'))]),
    ['all other tries rejected', ...rejections],
  ]);
  expect(granted).toEqual(
    Object.fromEntries(Object.entries(NEEDED).map(([account, needed]) => [account, [...needed].sort()])),
  );
});

test('no ServiceAccount may act as somebody else, or read what is no object', async () => {
  for (const account of Object.keys(NEEDED)) {
    using client = new ApiClient(api.account(account));
    const asAdministrator = { 'impersonate-user': 'administrator', 'impersonate-group': 'system:masters' };
    const asReconcile = { 'impersonate-user': 'system:serviceaccount:ovn-handover:reconcile' };
    const tries = [
      ...[asAdministrator, asReconcile].map((headers) => client.send('GET', '/api/v1/secrets', headers)),
      ...['/metrics', '/debug/pprof/', '/logs/', '/configz'].map((path) => client.send('GET', path)),
    ];
    const accepted = (await Promise.all(tries)).filter((answer) => !isRefusal(answer));
    expect([account, accepted]).toEqual([account, []]);
  }
});
