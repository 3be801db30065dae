/** remove, from every overlay and at every moment of a migration, with real databases and nobody else to help. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, jest, test } from '@jest/globals';
import { DUAL_GATE, PORT_GATE } from '../../handover/decision/kubevirt.ts';
import { resources } from '../../lab/kubernetes-api/resources.ts';
import type { Migration } from '../../testkit/kubevirt-vm.ts';
import { addPort, addPortBinding, mapOf } from '../../testkit/ovn.ts';
import { Installed } from './support/installed.ts';
import { OVERLAYS, objectsIn } from './support/overlay.ts';
import { installWhole } from './support/whole.ts';

jest.setTimeout(180_000);

const PORT = 'web-01.prod';
const SOURCE = 'virt-launcher-web-01-source';

async function installedWithVm(overlay?: string): Promise<Installed> {
  const installed = await Installed.start();
  await installWhole(installed, overlay).catch(async (error) => {
    await installed[Symbol.asyncDispose]();
    throw error;
  });
  addPort(installed.nb, PORT);
  addPortBinding(installed.sb, PORT, 1);
  await installed.cluster.createVm();
  return installed;
}

/** Every object in the cluster in which our name stands anywhere, but in what a VM's owner wrote. */
async function ours({ objects }: Installed): Promise<string[]> {
  const kinds = resources.filter(({ kind }) => kind !== 'SubjectAccessReview' && kind !== 'Event');
  const lists = await Promise.all(
    kinds.map(({ group, version, kind }) =>
      objects.list(group ? `${group}/${version}` : version, kind).catch(() => ({ items: [] })),
    ),
  );
  return lists
    .flatMap(({ items }) => items)
    .filter((object) => JSON.stringify(object).includes('ovn-handover'))
    .map(({ kind, metadata }) => `${kind} ${metadata?.name}`);
}

async function expectNothingLeft(installed: Installed): Promise<void> {
  expect(await ours(installed)).toEqual([]);
  expect(mapOf(installed.nb, PORT, 'options')).toEqual({});
}

describe.each(OVERLAYS)('the overlay %s', (overlay) => {
  test('is gone after remove, which showed before what would go', async () => {
    await using installed = await installedWithVm(`overlays/${overlay}`);
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

/** The moments of a migration, each after the one before, as KubeVirt and the scheduler bring them about. */
class Play {
  readonly #installed: Installed;
  #migration: Migration | undefined;
  readonly #waiting: Promise<void>[] = [];

  constructor(installed: Installed) {
    this.#installed = installed;
  }

  /** As the functions would, where they still are. */
  async #functions(): Promise<void> {
    await this.#installed.cli('resync', '--write');
  }

  readonly moments: Readonly<Record<string, () => Promise<void>>> = {
    'has just been asked for': async () => {
      this.#migration = await this.#installed.cluster.migrate('move');
    },
    'has a target at its gates': async () => {
      const hasGate = (await ours(this.#installed)).some((name) => name.startsWith('MutatingAdmissionPolicy '));
      await this.#migration!.createTarget(hasGate ? [PORT_GATE, DUAL_GATE] : []);
    },
    'has a target on a node': async () => {
      const gates = async () =>
        (await this.#installed.cluster.pod(this.#migration!.target)).spec?.schedulingGates ?? [];
      while ((await gates()).length > 0) {
        // Each call stays with the target until it has a node.
        this.#waiting.push(this.#functions());
        await sleep(300);
      }
      await this.#migration!.schedule('worker-b');
      await Promise.all(this.#waiting);
    },
    'copies memory': async () => {
      await this.#functions();
      await this.#migration!.handOff();
    },
    'has switched': async () => {
      await this.#migration!.switch();
    },
    'has succeeded': async () => {
      await this.#functions();
      await this.#migration!.succeed('worker-b');
      await this.#installed.cluster.deletePod(SOURCE);
    },
  };

  /** @param pauseMs before each */
  async through(names: readonly string[], pauseMs = 0): Promise<void> {
    for (const name of names) {
      await sleep(pauseMs);
      await this.moments[name]!();
    }
  }
}

const MOMENTS = Object.keys(new Play(undefined as never).moments);

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
