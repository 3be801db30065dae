/** remove, from every overlay and at every moment of a migration, with real databases and nobody else to help. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, jest, test } from '@jest/globals';
import { mapOf } from '../../testkit/ovn.ts';
import { OVERLAYS, objectsIn } from './support/overlay.ts';
import { expectNothingLeft, installedWithVm, MOMENTS, ours, Play, PORT } from './support/removal.ts';

jest.setTimeout(180_000);

describe.each(OVERLAYS)('the overlay %s', (overlay) => {
  test('is gone after remove, which showed before what would go', async () => {
    await using installed = await installedWithVm(overlay);
    const before = await ours(installed);
    expect(before.length).toBeGreaterThan(30);
    const shown = await installed.cli('remove');
    expect(shown).toMatchObject({ status: 0, out: expect.stringContaining('Nothing was changed') });
    expect(await ours(installed)).toEqual(before);

    expect(await installed.cli('remove', '--yes')).toMatchObject({ status: 0 });
    await expectNothingLeft(installed);
    expect(await installed.cli('remove', '--yes')).toMatchObject({ status: 0 });
  });
});

test('the gate is removed also where the API server has it in v1beta1 alone', async () => {
  await using installed = await installedWithVm();
  await installed.cli('remove', '--yes');
  for (const kind of ['mutatingadmissionpolicies', 'mutatingadmissionpolicybindings']) {
    installed.api.hidden.add(`admissionregistration.k8s.io/v1/${kind}`);
  }
  for (const object of await objectsIn('components/scheduling-gate')) {
    await installed.create({ ...object, apiVersion: 'admissionregistration.k8s.io/v1beta1' });
  }
  expect((await ours(installed)).length).toBe(2);
  expect(await installed.cli('remove', '--yes')).toMatchObject({ status: 0 });
  expect(await ours(installed)).toEqual([]);
});

describe.each(MOMENTS.map((name, index) => ({ name, index })))('when a migration $name', ({ index }) => {
  test('remove waits for its end, and nothing is left', async () => {
    await using installed = await installedWithVm();
    const play = new Play(installed);
    await play.through(MOMENTS.slice(0, index + 1));
    const removing = installed.cli('remove', '--yes', '--timeout', '120');
    await play.through(MOMENTS.slice(index + 1), 500);
    expect(await removing).toMatchObject({
      status: 0,
      out: expect.stringContaining('Nothing of ovn-handover is left in the cluster, or in OVN'),
    });
    await expectNothingLeft(installed);
  });
});

test('remove that does not wait says what it waits for, by status 4, and goes on when it is run again', async () => {
  await using installed = await installedWithVm();
  const play = new Play(installed);
  await play.through(MOMENTS.slice(0, 4));
  const first = await installed.cli('remove', '--yes', '--timeout', '0');
  expect(first).toMatchObject({ status: 4, out: expect.stringContaining('migrations to end: prod/web-01') });
  expect(await ours(installed)).not.toContain('MutatingAdmissionPolicy ovn-handover-scheduling-gate');
  expect(mapOf(installed.nb, PORT, 'options')).toMatchObject({ 'requested-chassis': 'chassis-a,chassis-b' });
  await play.through(MOMENTS.slice(4));
  let status = 4;
  for (let runs = 0; status === 4 && runs < 10; runs++)
    status = (await installed.cli('remove', '--yes', '--timeout', '0')).status;
  expect(status).toBe(0);
  await expectNothingLeft(installed);
});

test('remove that is killed, again and again, leaves nothing when it is left to end', async () => {
  await using installed = await installedWithVm();
  const play = new Play(installed);
  await play.through(MOMENTS.slice(0, 3));
  const killedAfter = async (ms: number) => {
    const args = ['--conditions=ovn-handover-source', '--no-warnings', 'cli/main.ts', 'remove', '--yes'];
    const env = { PATH: process.env.PATH, KUBECONFIG: installed.kubeconfig };
    const child = spawn(process.execPath, args, { stdio: 'ignore', env });
    const ended = once(child, 'exit');
    const timer = setTimeout(() => child.kill('SIGKILL'), ms);
    const [status, signal] = await ended;
    clearTimeout(timer);
    return signal ?? status;
  };
  const moments = MOMENTS.slice(3);
  for (const ms of [1_500, 2_500, 4_000]) {
    expect(await killedAfter(ms)).toBe('SIGKILL');
    await play.through(moments.splice(0, 1));
  }
  for (const ms of [1_200, 1_600, 2_000]) await killedAfter(ms);
  expect(await killedAfter(60_000)).toBe(0);
  await expectNothingLeft(installed);
});

test('where OVN is away nothing but the gate goes', async () => {
  await using installed = await installedWithVm();
  await installed.nb.kill();
  const before = (await ours(installed)).length;
  expect(await installed.cli('remove', '--yes')).toMatchObject({
    status: 3,
    err: expect.stringContaining('OVN northbound'),
  });
  expect(before - (await ours(installed)).length).toBeLessThanOrEqual(2);
});

test('where OVN is gone for good the rest goes by --skip-ovn', async () => {
  await using installed = await installedWithVm();
  await installed.nb.kill();
  expect(await installed.cli('remove', '--yes', '--skip-ovn')).toMatchObject({
    status: 0,
    out: expect.stringContaining('OVN was not looked at'),
  });
  expect(await ours(installed)).toEqual([]);
});

test('a port whose record nobody can tell the VM of is named, with what takes it off, and the settings stay', async () => {
  await using installed = await installedWithVm();
  const set = (...options: string[]) => installed.nb.ctl('set', 'Logical_Switch_Port', PORT, ...options);
  set('options:handover-binding=pinned', 'options:requested-chassis=chassis-a', 'external_ids:pod=unknown');
  const { status, err } = await installed.cli('remove', '--yes');
  expect({ status, err }).toMatchObject({
    status: 1,
    err: expect.stringContaining(`remove Logical_Switch_Port ${PORT}`),
  });
  expect(await ours(installed)).toContain('ConfigMap ovn-handover');
  installed.nb.ctl(...err.slice(err.indexOf('ovn-nbctl ') + 'ovn-nbctl '.length).split(' '));
  expect(await installed.cli('remove', '--yes')).toMatchObject({ status: 0 });
  await expectNothingLeft(installed);
});
