/** status, explain and resync on a real ovsdb-server, at each moment of a migration. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { DUAL_GATE, PORT_GATE } from '../../handover/decision/kubevirt.ts';
import type { Migration } from '../../testkit/kubevirt-vm.ts';
import { addPort, addPortBinding, mapOf } from '../../testkit/ovn.ts';
import { Installed } from './support/installed.ts';

jest.setTimeout(60_000);

const PORT = 'web-01.prod';
let installed: Installed;
let migration: Migration;

beforeAll(async () => {
  installed = await Installed.start();
  addPort(installed.nb, PORT);
  addPortBinding(installed.sb, PORT, 1);
  await installed.cluster.createVm();
});
afterAll(async () => {
  await installed?.[Symbol.asyncDispose]();
});

const json = async (...args: string[]) => JSON.parse((await installed.cli(...args, '-o', 'json')).out);
const options = () => mapOf(installed.nb, PORT, 'options');

test('a VM at rest is as it should be, and no function would do anything', async () => {
  const { status, out } = await installed.cli('status');
  expect(status).toBe(0);
  expect(out).toMatch(/^prod\/web-01 +worker-a +web-01\.prod +unbound +- +- +- +5 +yes$/m);
  const { functions } = await json('explain', 'prod/web-01');
  expect(functions.map(({ writes }: { writes: unknown[] }) => writes.length)).toEqual([0, 0, 0, 0, 0]);
  expect(await installed.cli('resync')).toMatchObject({
    status: 0,
    out: 'Looked at 0 VMs, would change 0, failed on 0.',
  });
});

test('a target at its gates: status says no, explain names rule 3d and who pins, resync writes only when told to', async () => {
  migration = await installed.cluster.migrate('move');
  await migration.createTarget([PORT_GATE, DUAL_GATE]);
  const shown = await installed.cli('status', 'prod/web-01');
  expect(shown).toMatchObject({ status: 1, out: expect.stringMatching(/ move +- +port dual +3d +no/) });
  expect(shown.out).toContain('no binding becomes requested-chassis=chassis-a (rule 3d, by reuse-port)');

  const { ports, functions } = await json('explain', 'prod/web-01');
  const tried: { rule: string; holds: boolean }[] = ports[0].tried;
  expect(new Set(tried.map(({ rule }) => rule))).toEqual(new Set(['1', '2', '3a', '3b', '3c', '3d']));
  expect(tried.at(-1)).toMatchObject({ rule: '3d' });
  expect(functions).toMatchObject([
    {
      name: 'reuse-port',
      writes: [{ port: PORT, options: { 'requested-chassis': 'chassis-a' } }],
      ungates: [{ gates: [PORT_GATE] }],
    },
    { name: 'enable-dual-chassis', writes: [], ungates: [] },
    { name: 'disable-dual-chassis', writes: [] },
    { name: 'release-port', writes: [] },
    { name: 'reconcile', writes: [{ port: PORT }], ungates: [{ gates: [PORT_GATE, DUAL_GATE] }] },
  ]);

  expect(await installed.cli('resync')).toMatchObject({
    status: 1,
    out: expect.stringContaining('nothing was written'),
  });
  expect(options()).toEqual({});
  const writing = installed.cli('resync', 'prod/web-01', '--write');
  while ((await installed.cluster.pod(migration.target)).spec?.schedulingGates?.length)
    await new Promise((r) => setTimeout(r, 20));
  await migration.schedule('worker-b');
  expect(await writing).toMatchObject({ status: 0, out: expect.stringContaining('changed 1, failed on 0') });
  expect(options()).toMatchObject({ 'requested-chassis': 'chassis-a,chassis-b', 'activation-strategy': 'rarp' });
});

test('while the port is dual it is right, and status tells since when and for which migration', async () => {
  const { vms } = await json('status');
  expect(vms).toMatchObject([
    {
      vmi: { namespace: 'prod', name: 'web-01' },
      node: 'worker-a',
      targetNode: 'worker-b',
      migration: 'move',
      gates: [],
      isRight: true,
      ports: [{ name: PORT, binding: 'dual', rule: '3b', recordedMigration: migration.vmim.metadata.uid }],
    },
  ]);
  expect((await installed.cli('status')).status).toBe(0);
});

test('what another controller took off is a difference that resync puts right', async () => {
  installed.nb.ctl('remove', 'Logical_Switch_Port', PORT, 'options', 'requested-chassis', 'activation-strategy');
  expect((await installed.cli('status')).status).toBe(1);
  expect((await installed.cli('resync', '--write')).status).toBe(0);
  expect(options()).toMatchObject({ 'requested-chassis': 'chassis-a,chassis-b' });
});

test('after the switch explain names rule 3a and disable-dual-chassis, and the end leaves nothing of ours', async () => {
  await migration.handOff();
  await migration.switch();
  const { ports, functions } = await json('explain', 'prod/web-01');
  expect(ports[0]).toMatchObject({ rule: '3a', why: 'the guest runs on the target' });
  expect(functions[2].writes).toMatchObject([{ options: { 'requested-chassis': 'chassis-b' } }]);
  await migration.succeed('worker-b');
  await installed.cluster.deletePod('virt-launcher-web-01-source');
  for (let tries = 0; Object.keys(options()).length > 0 && tries < 5; tries++) await installed.cli('resync', '--write');
  expect(options()).toEqual({});
});

test('a VM that does not exist has no ports, which explain tells by its exit status', async () => {
  expect(await installed.cli('explain', 'prod/nobody')).toMatchObject({ status: 1 });
});

test.each([
  [['explain'], 2, /missing required argument/],
  [['explain', 'a/b/c'], 2, /expected NAMESPACE\/VM/],
  [['status', '--context', 'elsewhere'], 2, /no context elsewhere; it has ovn-handover-lab/],
  [['status', '-o', 'yaml'], 2, /Allowed choices are table, json/],
  [['migrate'], 2, /unknown command/],
  [['--help'], 0, /^$/],
])('%j ends with %i and says why', async (args, status, said) => {
  const ran = await installed.cli(...args);
  expect(ran).toMatchObject({ status, err: expect.stringMatching(said) });
});

test('where OVN or the API server is away, the exit status is 3', async () => {
  await installed.nb.kill();
  expect(await installed.cli('status')).toMatchObject({ status: 3, err: expect.stringContaining('OVN northbound') });
  await installed.nb.start();
  await installed.api.close();
  for (const command of ['status', 'doctor', 'remove', 'bundle']) {
    expect(await installed.cli(command)).toMatchObject({ status: 3, err: expect.stringContaining('not reached') });
  }
});
