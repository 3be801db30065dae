import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Guest, startGuest } from '../../../lab/guest/guest.ts';
import { MigrationError, migrate } from '../../../lab/guest/migrate.ts';
import { watchBindings } from '../../../lab/observe/bindings.ts';
import { longestSilence, lostAnswers } from '../../../lab/probe/outage.ts';
import { startPing } from '../../../lab/probe/ping.ts';
import { startTcp } from '../../../lab/probe/tcp.ts';
import { run } from '../../../lab/testbed/command.ts';
import type { Chassis } from '../../../lab/testbed/description.ts';
import { plug } from '../../../lab/testbed/plug.ts';
import { startTestbed, type Testbed } from '../../../lab/testbed/testbed.ts';

const TAP = 'tap0';

let directory: string;
let testbed: Testbed;
let source: Chassis;
let target: Chassis;
let guest: Guest;
let uri: string;

async function setBinding(...options: string[]): Promise<void> {
  await run('ovn-nbctl', [
    `--db=${testbed.northbound}`,
    'lsp-set-options',
    testbed.vms[0].interfaces[0].port,
    ...options,
  ]);
}

async function startGuestOn(chassis: Chassis, incoming?: string): Promise<Guest> {
  const [nic] = testbed.vms[0].interfaces;
  await plug(chassis, { tap: TAP, port: nic.port });
  const options = { chassis, interfaces: [{ ...nic, tap: TAP }], directory: join(chassis.directory, 'guest') };
  return startGuest(incoming ? { ...options, incoming } : options);
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ovn-handover-'));
  testbed = await startTestbed({ directory, prefix: `g${process.pid}` });
  [source, target] = testbed.chassis as [Chassis, Chassis];
  uri = `tcp:${target.migrationAddress}:7777`;
  await setBinding(`requested-chassis=${source.name}`);
  guest = await startGuestOn(source);
  await guest.ready();
}, 60_000);

afterEach(async () => {
  await testbed.stop();
  await rm(directory, { recursive: true });
}, 60_000);

describe('a guest', () => {
  test('migrates under a dual binding with less than half a second of outage and its TCP connection whole', async () => {
    const { client, vms } = testbed;
    const [{ ip }] = vms[0].interfaces;
    const bindings = await watchBindings(testbed);
    const arrived = await startGuestOn(target, uri);
    expect(await arrived.health()).toBe('incoming');
    await setBinding(`requested-chassis=${source.name},${target.name}`, 'activation-strategy=rarp');
    await bindings.claimed.until((seen) => seen.additionalChassis.includes(target.name), { timeoutMs: 20_000 });
    expect(bindings.claimed.last).toMatchObject({ chassis: source.name, activated: [], up: true });

    const ping = await startPing(client, ip, { intervalMs: 5 });
    const tcp = await startTcp(client, ip);
    await sleep(1000);
    const from = Date.now();
    const migration = await migrate(guest, arrived, uri);
    await bindings.claimed.until((seen) => seen.activated.includes(target.name), { timeoutMs: 20_000 });
    await sleep(1000);
    const to = Date.now();
    const pings = await ping.stop();
    const echoes = await tcp.stop();

    expect(await arrived.health()).toBe('running');
    expect(await guest.health()).toBe('migrated');
    expect(migration.guestBlackoutMs).toBeGreaterThan(0);
    expect(migration.ramBytes).toBeGreaterThan(10_000_000);
    const outage = longestSilence(pings.answers, { from, to });
    expect(outage.ms).toBeLessThan(500);
    expect(lostAnswers(pings.answers, pings.sent, { from, to })).toBeLessThan(100);
    expect(pings.duplicates).toBe(0);
    expect(echoes).toMatchObject({ broken: false });
    expect(echoes.answers.at(-1)?.at).toBeGreaterThan(outage.to);
    expect(echoes.maxStallMs).toBeLessThan(1000);

    await setBinding(`requested-chassis=${target.name}`);
    await bindings.claimed.until(
      ({ chassis, additionalChassis }) => chassis === target.name && additionalChassis.length === 0,
      { timeoutMs: 20_000 },
    );
    // Another observer's, and that may be behind.
    await bindings.wanted.until(({ requestedChassis }) => requestedChassis === target.name, { timeoutMs: 20_000 });
    await bindings.stop();
    expect(bindings.wanted.list.map(({ requestedChassis }) => requestedChassis)).toEqual([
      source.name,
      `${source.name},${target.name}`,
      target.name,
    ]);
  }, 120_000);

  test('stays on the source, running, when its migration is cancelled', async () => {
    const arrived = await startGuestOn(target, uri);
    const migration = migrate(guest, arrived, uri, { signal: AbortSignal.timeout(100) });
    await expect(migration).rejects.toMatchObject({ name: 'MigrationError', status: 'cancelled' });
    expect(await guest.health()).toBe('running');
  }, 60_000);

  test('stays on the source, running, when nobody waits for it on the target', async () => {
    const arrived = await startGuestOn(target, uri);
    await arrived.stop();
    expect(await arrived.health()).toBe('gone');
    await expect(migrate(guest, arrived, uri)).rejects.toThrow(MigrationError);
    expect(await guest.health()).toBe('running');
  }, 60_000);

  test('that answers no ping because its port is closed is told apart from one that is dead', async () => {
    const { client, vms } = testbed;
    const [{ ip, port }] = vms[0].interfaces;
    await run('ovn-nbctl', [
      `--db=${testbed.northbound}`,
      '--wait=hv',
      'set',
      'Logical_Switch_Port',
      port,
      'enabled=false',
    ]);
    const ping = await startPing(client, ip, { intervalMs: 5 });
    await sleep(300);
    const { answers, sent } = await ping.stop();
    expect(answers).toEqual([]);
    expect(sent).toBeGreaterThan(10);
    expect(await guest.health()).toBe('running');

    await guest.qmp.execute('stop');
    expect(await guest.health()).toBe('paused');
    await guest.stop();
    expect(await guest.health()).toBe('gone');
  }, 60_000);

  test('that panics is told apart from one that is gone', async () => {
    // At the end of its console's input the guest's init ends, which no kernel survives.
    const console = connect(join(source.directory, 'guest', 'console.sock'));
    console.end('\x04');
    while (!guest.serial().includes('Kernel panic')) await sleep(50);
    expect(await guest.health()).toBe('panicked');
  }, 60_000);
});
