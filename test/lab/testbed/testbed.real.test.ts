import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { cleanUp } from '../../../lab/testbed/cleanup.ts';
import { run, runIn } from '../../../lab/testbed/command.ts';
import { describeVm } from '../../../lab/testbed/description.ts';
import { namespacesOf } from '../../../lab/testbed/namespaces.ts';
import { plug, unplug } from '../../../lab/testbed/plug.ts';
import { readTestbed, startTestbed } from '../../../lab/testbed/testbed.ts';

const STARTER = fileURLToPath(new URL('starter.ts', import.meta.url));
const prefix = `t${process.pid}`;
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ovn-handover-'));
});

afterEach(async () => {
  await cleanUp({ directory, prefix });
  await rm(directory, { recursive: true });
});

/** Processes whose command line names the testbed's directory: each daemon of it does. */
async function processesOf(folder: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.includes(folder));
}

async function nothingIsLeft(): Promise<boolean> {
  return (await namespacesOf(prefix)).length === 0 && (await processesOf(directory)).length === 0;
}

async function start(...args: string[]) {
  const starter = spawn(process.execPath, [STARTER, directory, prefix, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(starter, 'exit');
  const failed = exit.then(([code]) => {
    if (code !== 0) throw new Error(`The starter ended with code ${code}.`);
  });
  await Promise.race([once(starter.stdout, 'data'), failed]);
  return { starter, exit };
}

describe('a testbed', () => {
  test('stands with three chassis that reach each other, and leaves nothing when it is stopped', async () => {
    const testbed = await startTestbed({ directory, prefix });
    const { stop, ...description } = testbed;
    expect(await readTestbed(directory)).toEqual(description);

    const names = await run('ovn-sbctl', [`--db=${testbed.southbound}`, '--bare', '--columns=name', 'list', 'Chassis']);
    expect(names.split('\n').filter(Boolean).sort()).toEqual(['chassis-1', 'chassis-2', 'chassis-3']);
    await runIn(testbed.chassis[0]!.netns, 'ping', ['-c1', '-W5', testbed.chassis[1]!.address]);

    await stop();
    expect(await nothingIsLeft()).toBe(true);
    expect(existsSync(join(directory, 'testbed.json'))).toBe(false);
  }, 60_000);

  test('answers ARP for the address of each chassis with the MAC of the bridge that has it, and no other', async () => {
    const { chassis, stop } = await startTestbed({ directory, prefix });
    const [asking, ...asked] = chassis;
    for (const { address, netns } of asked) {
      const seen = await runIn(asking!.netns, 'busybox', ['arping', '-b', '-c', '3', '-I', 'br-phy', address]);
      const macs = [...seen.matchAll(/reply from \S+ \[(\S+)\]/g)].map(([, mac]) => mac);
      const [bridge] = JSON.parse(await run('ip', ['-n', netns, '-j', 'link', 'show', 'br-phy']));
      expect(macs).toEqual([bridge.address, bridge.address, bridge.address]);
    }
    await stop();
  }, 60_000);

  test("has each VM's ports as Kube-OVN makes them, claimed by nobody, and the client on each logical switch", async () => {
    const vms = [describeVm({ nics: 2 }), describeVm({ name: 'web-02', index: 1 })] as const;
    const { northbound, southbound, client, stop } = await startTestbed({ directory, prefix, vms: [...vms] });
    const get = (port: string, column: string) =>
      run('ovn-nbctl', [`--db=${northbound}`, 'get', 'Logical_Switch_Port', port, column]);
    const ids = (logicalSwitch: string, vm: string) => `{ls=${logicalSwitch}, pod="prod/${vm}", vendor=kube-ovn}`;
    expect(await get('web-01.prod', 'external_ids')).toBe(ids('ovn-default', 'web-01'));
    expect(await get('web-01.prod.net2.prod.ovn', 'external_ids')).toBe(ids('net2', 'web-01'));
    expect(await get('web-02.prod', 'external_ids')).toBe(ids('ovn-default', 'web-02'));
    for (const { port, mac, ip } of vms.flatMap(({ interfaces }) => interfaces)) {
      expect(await get(port, 'addresses')).toBe(`["${mac} ${ip}"]`);
      expect(await get(port, 'options')).toBe('{}');
      expect(await run('ovn-sbctl', [`--db=${southbound}`, 'get', 'Port_Binding', port, 'chassis'])).toBe('[]');
    }
    expect(client.interfaces.map(({ logicalSwitch }) => logicalSwitch)).toEqual(['ovn-default', 'net2']);
    for (const { port } of client.interfaces) expect(await get(port, 'up')).toBe('true');
    await stop();
  }, 60_000);

  test('claims a port for the chassis where it is plugged, again after it was unplugged', async () => {
    const { northbound, southbound, chassis, vms, stop } = await startTestbed({ directory, prefix });
    const [guest] = vms[0].interfaces;
    const upIs = (value: string) =>
      run('ovn-nbctl', [
        `--db=${northbound}`,
        '--timeout=20',
        'wait-until',
        'Logical_Switch_Port',
        guest.port,
        `up=${value}`,
      ]);
    for (const [index, one] of [chassis[0]!, chassis[1]!, chassis[0]!].entries()) {
      await plug(one, { tap: 'tap0', port: guest.port });
      await upIs('true');
      const id = await run('ovn-sbctl', [
        `--db=${southbound}`,
        '--bare',
        '--columns=_uuid',
        'find',
        'Chassis',
        `name=${one.name}`,
      ]);
      expect([
        index,
        await run('ovn-sbctl', [`--db=${southbound}`, 'get', 'Port_Binding', guest.port, 'chassis']),
      ]).toEqual([index, id]);
      await unplug(one, 'tap0');
      await upIs('false');
    }
    await stop();
  }, 60_000);

  test('stands beside another with a different prefix', async () => {
    const other = await mkdtemp(join(tmpdir(), 'ovn-handover-'));
    const first = await startTestbed({ directory, prefix });
    const second = await startTestbed({ directory: other, prefix: `${prefix}b` });
    await first.stop();
    await runIn(second.chassis[0]!.netns, 'ping', ['-c1', '-W5', second.chassis[1]!.address]);
    await second.stop();
    await rm(other, { recursive: true });
    expect(await namespacesOf(`${prefix}b`)).toEqual([]);
  }, 60_000);

  test('stands in a directory whose path has blanks', async () => {
    const testbed = await startTestbed({ directory: join(directory, 'a b'), prefix });
    await testbed.stop();
    expect(await nothingIsLeft()).toBe(true);
  }, 60_000);

  test('tells a second of its name who has it and how to end that, and goes on', async () => {
    const first = await startTestbed({ directory, prefix });
    const message = `named ${prefix} stands already on this machine, started in ${process.cwd()} at `;
    await expect(startTestbed({ directory, prefix })).rejects.toThrow(message);
    await expect(startTestbed({ directory, prefix })).rejects.toThrow(`To end it: kill ${process.pid}`);
    await expect(cleanUp({ directory: join(directory, 'of another clone'), prefix })).rejects.toThrow(message);
    await runIn(first.chassis[0]!.netns, 'ping', ['-c1', '-W5', first.chassis[1]!.address]);
    await first.stop();
  }, 60_000);

  test('is started by one only of two at once', async () => {
    const started = await Promise.allSettled([1, 2].map(() => startTestbed({ directory, prefix })));
    const [first, ...others] = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(others).toEqual([]);
    await runIn(first!.chassis[0]!.netns, 'ping', ['-c1', '-W5', first!.chassis[1]!.address]);
    await first!.stop();
  }, 60_000);

  test('takes over the name of one whose process was killed before it had made anything', async () => {
    const { starter, exit } = await start('nothing');
    starter.kill('SIGKILL');
    await exit;
    const testbed = await startTestbed({ directory, prefix });
    await testbed.stop();
  }, 60_000);

  test('leaves alone namespaces of its name that nobody is known to have', async () => {
    await run('ip', ['netns', 'add', `${prefix}-stray`]);
    await expect(startTestbed({ directory, prefix })).rejects.toThrow(
      `a network namespace ${prefix}-stray, and nothing says whose. To end it: npm run lab -- down`,
    );
    expect(await namespacesOf(prefix)).toEqual([`${prefix}-stray`]);
  });

  test('is rejected in a directory whose path is too long for unix sockets', async () => {
    const long = join(directory, 'd'.repeat(90));
    await expect(startTestbed({ directory: long, prefix })).rejects.toThrow('too long a path');
  });
});

describe('when the process that started a testbed', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
    'is killed by %s, nothing is left',
    async (signal) => {
      const { starter, exit } = await start();
      expect((await namespacesOf(prefix)).length).toBe(5);
      starter.kill(signal);
      await exit;
      for (let waited = 0; !(await nothingIsLeft()) && waited < 10_000; waited += 50) await sleep(50);
      expect(await nothingIsLeft()).toBe(true);
    },
    60_000,
  );

  test('shall not take it along (keep), it stands until it is stopped from elsewhere', async () => {
    const { exit } = await start('keep');
    await exit;
    await expect(startTestbed({ directory, prefix })).rejects.toThrow(
      `To end it: npm --prefix '${process.cwd()}' run lab -- down`,
    );
    const testbed = await readTestbed(directory);
    await runIn(testbed.chassis[0]!.netns, 'ping', ['-c1', '-W5', testbed.chassis[1]!.address]);
    await cleanUp({ directory, prefix });
    expect(await nothingIsLeft()).toBe(true);
  }, 60_000);
});
