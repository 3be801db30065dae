/** status, resync, doctor and bundle of many VMs: OVN is asked for the ports of all of them at once. */
import { rmSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { KubernetesObject } from '@kubernetes/client-node';
import { PORT_GATE } from '../../handover/decision/kubevirt.ts';
import { TypedDatabase } from '../../packages/ovsdb-client-ts/src/typed/database.ts';
import type { KubevirtVm } from '../../testkit/kubevirt-vm.ts';
import { Installed } from './support/installed.ts';

jest.setTimeout(300_000);

const VMS = 30;
const name = (number: number) => `vm-${number}`;

afterEach(() => {
  jest.restoreAllMocks();
});

/** Runs a command, and tells how often OVN northbound had to look at all of its ports for it. */
async function searchesOf(installed: Installed, ...args: string[]) {
  const select = jest.spyOn(TypedDatabase.prototype, 'select');
  const ran = await installed.cli(...args);
  const searches = select.mock.calls.filter(
    ([table, where]) => table === 'Logical_Switch_Port' && where.every(([column]) => column !== '_uuid'),
  );
  select.mockRestore();
  return { ...ran, searches: searches.length };
}

/** One VM after the other, each searched for by itself. */
async function oneByOne(installed: Installed) {
  const each = [];
  for (let number = 0; number < VMS; number++) {
    each.push(...JSON.parse((await installed.cli('status', `prod/${name(number)}`, '-o', 'json')).out).vms);
  }
  return each.sort((a, b) => a.vmi.name.localeCompare(b.vmi.name));
}

interface Profile {
  readonly settings: Readonly<Record<string, string>>;
  /** Names of the ports of a VM. */
  readonly ports: (vm: string) => readonly string[];
}

const PROFILES: Readonly<Record<string, Profile>> = {
  'kube-ovn': {
    settings: { OVN_PROFILE: 'kube-ovn' },
    ports: (vm) => [`${vm}.prod`, `${vm}.prod.tenant-a.prod.ovn`],
  },
  'generic, one port for each network': {
    settings: { OVN_PROFILE: 'generic', OVN_PORT_NAME: '{vmi}.{namespace}.{network}' },
    // The VM has no network of the second name any more.
    ports: (vm) => [`${vm}.prod.tenant-a`, `${vm}.prod.former`],
  },
};

describe.each(Object.entries(PROFILES))('with the profile %s', (_title, { settings, ports }) => {
  let installed: Installed;
  const vms: KubevirtVm[] = [];

  beforeAll(async () => {
    installed = await Installed.start();
    await installed.objects.patch(
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'ovn-handover', namespace: 'ovn-handover' },
        data: settings,
      } as KubernetesObject,
      undefined,
      undefined,
      undefined,
      undefined,
      'application/merge-patch+json',
    );
    const commands = [
      ['ls-add', 'tenant-a'],
      ['lsp-add', 'tenant-a', 'of-no-vm'],
    ];
    for (let number = 0; number < VMS; number++) {
      const vm = name(number);
      await installed.cluster.createVm(vm);
      vms.push(installed.cluster.vm);
      // The last one has none.
      for (const port of number === VMS - 1 ? [] : ports(vm)) {
        commands.push(['lsp-add', 'tenant-a', port]);
        commands.push(['set', 'Logical_Switch_Port', port, `external_ids:pod=prod/${vm}`]);
      }
    }
    installed.nb.ctl(...commands.flatMap((command, index) => (index === 0 ? command : ['--', ...command])));
  });
  afterAll(async () => {
    await installed?.[Symbol.asyncDispose]();
  });

  test('status of all tells what status of each one tells, by three looks at the table instead of one for each VM', async () => {
    const { out, status, searches } = await searchesOf(installed, 'status', '-o', 'json');
    const { vms } = JSON.parse(out);
    expect(vms).toEqual(await oneByOne(installed));
    expect(vms).toHaveLength(VMS);
    expect(vms.filter(({ ports }: { ports: unknown[] }) => ports.length === 0)).toMatchObject([
      { vmi: { name: name(VMS - 1) } },
    ]);
    expect(status).toBe(1);
    // Ports with our record, pinned and dual; and the owners of all.
    expect(searches).toBe(3);
  });

  test('so do doctor and bundle', async () => {
    expect((await searchesOf(installed, 'doctor', '--no-probe')).searches).toBe(1);
    const file = 'many-vms.tar.gz';
    const { searches, status } = await searchesOf(installed, 'bundle', '--file', file);
    rmSync(file);
    // Its own, doctor's and status'.
    expect({ searches, status }).toEqual({ searches: 1 + 3, status: 0 });
  });

  test('and resync, while all of them migrate', async () => {
    for (let number = 0; number < VMS; number++) {
      await (await vms[number]!.migrate(`move-${number}`)).createTarget([PORT_GATE]);
    }
    const { out, searches } = await searchesOf(installed, 'resync', '-o', 'json');
    const { looked, would, failed } = JSON.parse(out);
    expect({ looked, would: would.length, failed }).toEqual({ looked: VMS, would: VMS, failed: [] });
    expect(searches).toBe(3);
  });
});
