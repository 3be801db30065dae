import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { OvsdbClient } from 'ovsdb-client-ts';
import type { Desired } from '../../../handover/decision/desired.ts';
import { LookAgainError, TryAgainError } from '../../../handover/decision/errors.ts';
import { changeFor, isMade, type Port, type PortChange } from '../../../handover/decision/port.ts';
import { profileOf } from '../../../handover/decision/profile.ts';
import { Northbound } from '../../../handover/ovn/northbound.ts';
import { VMI } from '../support/moments.ts';
import { addPort, mapOf, OvnDatabase } from '../support/ovn.ts';
import { DUAL, PINNED } from '../support/ports.ts';

const profile = profileOf('kube-ovn', '');
const chassis = new Map([
  ['worker-a', 'chassis-1'],
  ['worker-b', 'chassis-2'],
]);
const pin: Desired = { rule: '3d', step: 'reuse-port', binding: 'pinned', node: 'worker-a', record: PINNED };
const arm: Desired = {
  rule: '3b',
  step: 'enable-dual-chassis',
  binding: 'dual',
  source: 'worker-a',
  target: 'worker-b',
  record: DUAL,
};
const release: Desired = { rule: '2', step: 'release-port', binding: 'unbound' };

let database: OvnDatabase;
let client: OvsdbClient;
let northbound: Northbound;
let uuid: string;

beforeAll(async () => {
  database = await OvnDatabase.start('nb');
});
afterAll(() => database[Symbol.asyncDispose]());
beforeEach(() => {
  uuid = addPort(database, 'web-01.prod');
  database.ctl('set', 'Logical_Switch_Port', 'web-01.prod', 'options:mcast_flood=true');
  client = new OvsdbClient({ remote: database.remote, database: 'OVN_Northbound' });
  northbound = new Northbound(client, profile);
});
afterEach(async () => {
  await client.close();
  database.ctl('--if-exists', 'ls-del', 'tenant-a');
});

function change(port: Port | undefined, wanted: Desired): PortChange {
  const made = changeFor(port!, wanted, { chassis, activationStrategy: 'rarp', now: new Date() });
  if (!made) throw new Error('the port has that already');
  return made;
}
const options = (port = 'web-01.prod') => mapOf(database, port, 'options');

describe('the ports of a VM', () => {
  test("are all of its interfaces, and no one else's", async () => {
    addPort(database, 'web-01.prod.tenant-a.prod.ovn');
    addPort(database, 'web-011.prod', 'prod/web-011');
    addPort(database, 'web-01.other', 'other/web-01');
    const ports = await northbound.portsOf(VMI);
    expect(ports.map(({ name }) => name)).toEqual(['web-01.prod', 'web-01.prod.tenant-a.prod.ovn']);
    expect(ports[0]).toEqual({
      uuid,
      name: 'web-01.prod',
      addresses: ['02:00:5e:10:00:01 192.168.50.10'],
      options: { mcast_flood: 'true' },
      externalIds: { pod: 'prod/web-01', vendor: 'kube-ovn' },
    });
  });

  test('are none for a VM that has none', async () => {
    expect(await northbound.portsOf({ namespace: 'prod', name: 'nobody' })).toEqual([]);
  });

  test('are found by a hint, without a scan of the table', async () => {
    const seen: unknown[] = [];
    const spy = {
      transact: (operations: [{ where: unknown }]) => {
        seen.push(...operations.map(({ where }) => where));
        return client.transact(operations as never);
      },
    };
    const ports = await new Northbound(spy as unknown as OvsdbClient, profile).portsOf(VMI, [uuid]);
    expect(ports.map((port) => port.uuid)).toEqual([uuid]);
    expect(seen).toEqual([[['_uuid', '==', ['uuid', uuid]]]]);
  });

  test.each([
    ["of another VM's port", () => [addPort(database, 'web-02.prod', 'prod/web-02')]],
    ['of no row', () => ['99999999-9999-4999-8999-999999999999']],
    ['of one right and one wrong row', () => [uuid, addPort(database, 'web-02.prod', 'prod/web-02')]],
    ['of a row of another table', () => [database.ctl('get', 'Logical_Switch', 'tenant-a', '_uuid')]],
  ])('are searched when the hint is %s', async (_of, hint) => {
    expect((await northbound.portsOf(VMI, hint())).map((port) => port.uuid)).toEqual([uuid]);
  });

  test("are searched again when a port that was remembered is another's now, or gone", async () => {
    await northbound.portsOf(VMI);
    database.ctl('set', 'Logical_Switch_Port', 'web-01.prod', 'external_ids:pod=prod/web-02');
    expect(await northbound.portsOf(VMI)).toEqual([]);
    database.ctl('lsp-del', 'web-01.prod');
    const anew = addPort(database, 'web-01.prod');
    expect((await northbound.portsOf(VMI)).map((port) => port.uuid)).toEqual([anew]);
  });
});

describe('a commit', () => {
  test('writes what is ours, and leaves what is not, in options and external_ids', async () => {
    const [port] = await northbound.portsOf(VMI);
    await northbound.commit([change(port, arm)], 'test');
    expect(options()).toEqual({
      mcast_flood: 'true',
      'requested-chassis': 'chassis-1,chassis-2',
      'activation-strategy': 'rarp',
    });
    expect(mapOf(database, 'web-01.prod', 'external_ids')).toMatchObject({
      pod: 'prod/web-01',
      vendor: 'kube-ovn',
      'handover-binding': 'dual',
      'handover-target': 'worker-b',
    });

    const [armed] = await northbound.portsOf(VMI);
    await northbound.commit([change(armed, pin)], 'test');
    expect(options()).toEqual({ mcast_flood: 'true', 'requested-chassis': 'chassis-1' });
    expect(mapOf(database, 'web-01.prod', 'external_ids')).not.toHaveProperty('handover-target');

    const [pinned] = await northbound.portsOf(VMI);
    await northbound.commit([change(pinned, release)], 'test');
    expect(options()).toEqual({ mcast_flood: 'true' });
    expect(mapOf(database, 'web-01.prod', 'external_ids')).toEqual({ pod: 'prod/web-01', vendor: 'kube-ovn' });
  });

  test.each([
    ['options', ['set', 'Logical_Switch_Port', 'web-01.prod', 'options:requested-chassis=chassis-9']],
    ['an option that is not ours', ['set', 'Logical_Switch_Port', 'web-01.prod', 'options:mcast_flood=false']],
    ['external_ids', ['set', 'Logical_Switch_Port', 'web-01.prod', 'external_ids:handover-binding=dual']],
    ['an external id that is not ours', ['remove', 'Logical_Switch_Port', 'web-01.prod', 'external_ids', 'vendor']],
    ['the whole row, by deleting it', ['lsp-del', 'web-01.prod']],
  ])('fails if somebody changed %s in between, and writes nothing', async (_what, command) => {
    const [port] = await northbound.portsOf(VMI);
    database.ctl(...command);
    const before = database.dump();
    await expect(northbound.commit([change(port, pin)], 'test')).rejects.toThrow(LookAgainError);
    expect(database.dump()).toBe(before);
  });

  test('does not mind a change of what it does not decide by', async () => {
    const [port] = await northbound.portsOf(VMI);
    database.ctl('lsp-set-addresses', 'web-01.prod', 'unknown');
    await northbound.commit([change(port, pin)], 'test');
    expect(options()).toMatchObject({ 'requested-chassis': 'chassis-1' });
  });

  test('changes all interfaces of a VM or none (kube-ovn #6241)', async () => {
    addPort(database, 'web-01.prod.tenant-a.prod.ovn');
    const ports = await northbound.portsOf(VMI);
    database.ctl('set', 'Logical_Switch_Port', 'web-01.prod.tenant-a.prod.ovn', 'options:x=y');
    await expect(
      northbound.commit(
        ports.map((port) => change(port, pin)),
        'test',
      ),
    ).rejects.toThrow(LookAgainError);
    expect(options()).not.toHaveProperty('requested-chassis');

    await northbound.commit(
      (await northbound.portsOf(VMI)).map((port) => change(port, pin)),
      'test',
    );
    for (const name of ['web-01.prod', 'web-01.prod.tenant-a.prod.ovn']) {
      expect(options(name)).toMatchObject({ 'requested-chassis': 'chassis-1' });
    }
  });

  test('of two that decided on the same row, only one counts', async () => {
    const [port] = await northbound.portsOf(VMI);
    const outcomes = await Promise.allSettled([
      northbound.commit([change(port, pin)], 'one'),
      northbound.commit([change(port, arm)], 'other'),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  test("tells OVN's own transaction log who it was, and why", async () => {
    const [port] = await northbound.portsOf(VMI);
    const comment = 'ovn-handover reuse-port: VMI prod/web-01 "ünïcödé", rule 3d';
    await northbound.commit([change(port, pin)], comment);
    expect(database.log()).toContain(comment);
  });
});

describe('when OVN northbound is not well', () => {
  test('away for long, it is told as something that passes', async () => {
    const [port] = await northbound.portsOf(VMI);
    await database.kill();
    try {
      await expect(northbound.commit([change(port, pin)], 'test')).rejects.toThrow(TryAgainError);
    } finally {
      await database.start();
    }
    expect(options()).not.toHaveProperty('requested-chassis');
  }, 20_000);

  test('killed and started again in the meantime, it is used again', async () => {
    const [port] = await northbound.portsOf(VMI);
    await database.kill();
    const committed = northbound.commit([change(port, pin)], 'test');
    await database.start();
    await committed;
    expect(options()).toMatchObject({ 'requested-chassis': 'chassis-1' });
  });

  test('an answer that never comes makes it look again, and it then knows its own write', async () => {
    // A relay that loses the connection between the transaction and its answer.
    let lose = false;
    const sockets: Socket[] = [];
    const relay = createServer((near) => {
      const far = connect(database.remote.slice('unix:'.length));
      sockets.push(near, far);
      for (const socket of [near, far]) socket.on('error', () => {});
      near.pipe(far);
      far.on('data', (data) => (lose ? near.destroy() : near.write(data)));
      near.on('close', () => far.destroy());
      far.on('close', () => near.destroy());
    }).listen(0, '127.0.0.1');
    await once(relay, 'listening');
    const { port: number } = relay.address() as { port: number };
    const behind = new OvsdbClient({ remote: `tcp:127.0.0.1:${number}`, database: 'OVN_Northbound' });
    try {
      const relayed = new Northbound(behind, profile);
      const [port] = await relayed.portsOf(VMI);
      const made = change(port, pin);
      lose = true;
      await expect(relayed.commit([made], 'test')).rejects.toThrow(LookAgainError);
      lose = false;
      const [after] = await relayed.portsOf(VMI);
      expect(isMade(made, after!)).toBe(true);
      expect(options()).toMatchObject({ 'requested-chassis': 'chassis-1' });
    } finally {
      await behind.close();
      for (const socket of sockets) socket.destroy();
      relay.close();
    }
  });
});
