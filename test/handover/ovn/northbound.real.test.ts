import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { OvsdbClient } from 'ovsdb-client-ts';
import type { Change } from '../../../handover/decision/desired.ts';
import { LookAgainError, OutcomeUnknownError, TryAgainError } from '../../../handover/decision/errors.ts';
import { carriesChange, changeFor, type Port, type PortChange } from '../../../handover/decision/port.ts';
import { profileOf } from '../../../handover/decision/profile.ts';
import { Northbound } from '../../../handover/ovn/northbound.ts';
import { VMI } from '../../../testkit/moments.ts';
import { addPort, mapOf, OvnDatabase } from '../../../testkit/ovn.ts';
import { ARMED, CHASSIS, DUAL, PINNED } from '../support/ports.ts';

const profile = profileOf('kube-ovn', '');
const pin: Change = {
  rule: '3d',
  step: 'reuse-port',
  isAnyones: false,
  binding: 'pinned',
  node: 'worker-a',
  record: PINNED,
};
const arm: Change = {
  rule: '3b',
  step: 'enable-dual-chassis',
  isAnyones: false,
  binding: 'dual',
  source: 'worker-a',
  target: 'worker-b',
  isArmed: true,
  record: DUAL,
};
const release: Change = { rule: '2', step: 'release-port', isAnyones: true, binding: 'unbound' };

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

function change(port: Port | undefined, wanted: Change): PortChange {
  const setup = { chassis: CHASSIS, activationStrategy: 'rarp', activated: [], now: new Date() };
  const made = changeFor(port!, wanted, setup);
  if (!made) throw new Error('the port has that already');
  return made;
}
/** The ports of the VM, as they are now. */
const search = () => northbound.searchPorts(VMI, []);
const options = (port = 'web-01.prod') => mapOf(database, port, 'options');

describe('the ports of a VM', () => {
  test("are all of its interfaces, and no one else's", async () => {
    addPort(database, 'web-01.prod.tenant-a.prod.ovn');
    addPort(database, 'web-011.prod', 'prod/web-011');
    addPort(database, 'web-01.other', 'other/web-01');
    const ports = await search();
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
    expect(await northbound.searchPorts({ namespace: 'prod', name: 'nobody' }, [])).toEqual([]);
  });

  test('are found by their uuids', async () => {
    expect((await northbound.portsAt([uuid], VMI))?.map(({ name }) => name)).toEqual(['web-01.prod']);
  });

  test.each([
    ["one is another VM's port", () => [uuid, addPort(database, 'web-02.prod', 'prod/web-02')]],
    ['one is no row', () => ['99999999-9999-4999-8999-999999999999', uuid]],
    ['one is a row of another table', () => [database.ctl('get', 'Logical_Switch', 'tenant-a', '_uuid')]],
  ])('are not found by uuids of which %s', async (_of, uuids) => {
    expect(await northbound.portsAt(uuids(), VMI)).toBeUndefined();
  });

  test("are not found by uuids of which one became another VM's, or no row", async () => {
    database.ctl('set', 'Logical_Switch_Port', 'web-01.prod', 'external_ids:pod=prod/web-02');
    expect(await northbound.portsAt([uuid], VMI)).toBeUndefined();
    database.ctl('lsp-del', 'web-01.prod');
    expect(await northbound.portsAt([uuid], VMI)).toBeUndefined();
  });

  test('that carry our record are found among all, by VM', async () => {
    addPort(database, 'web-02.prod', 'prod/web-02');
    expect(await northbound.recordedPorts()).toEqual([]);
    for (const wanted of [pin, arm]) {
      const [port] = await search();
      await northbound.commit([change(port, wanted)], 'test');
      expect(await northbound.recordedPorts()).toEqual([{ vmi: VMI, uuids: [uuid] }]);
    }
  });

  test('are found by the names of the networks, where each has its own', async () => {
    const generic = new Northbound(client, profileOf('generic', '{vmi}.{namespace}.{network}'));
    addPort(database, 'web-01.prod.default');
    addPort(database, 'web-01.prod.net1');
    const names = async (networks?: string[]) => (await generic.searchPorts(VMI, networks)).map(({ name }) => name);
    expect(await names(['net1', 'default', 'none'])).toEqual(['web-01.prod.default', 'web-01.prod.net1']);
    const [port] = await generic.searchPorts(VMI, ['net1']);
    await generic.commit([change(port, pin)], 'test');
    expect(await names(undefined)).toEqual(['web-01.prod.net1']);
  });
});

describe('a commit', () => {
  test('writes what is ours, and leaves what is not, in options', async () => {
    const [port] = await search();
    await northbound.commit([change(port, arm)], 'test');
    expect(options()).toMatchObject({
      mcast_flood: 'true',
      ...ARMED,
      'handover-binding': 'dual',
      'handover-target': 'worker-b',
    });

    const [armed] = await search();
    await northbound.commit([change(armed, pin)], 'test');
    expect(options()).toMatchObject({ mcast_flood: 'true', 'requested-chassis': 'chassis-1' });
    for (const key of ['activation-strategy', 'handover-target']) expect(options()).not.toHaveProperty(key);

    const [pinned] = await search();
    await northbound.commit([change(pinned, release)], 'test');
    expect(options()).toEqual({ mcast_flood: 'true' });
    expect(mapOf(database, 'web-01.prod', 'external_ids')).toEqual({ pod: 'prod/web-01', vendor: 'kube-ovn' });
  });

  test.each([
    ['options', ['set', 'Logical_Switch_Port', 'web-01.prod', 'options:requested-chassis=chassis-9']],
    ['an option that is not ours', ['set', 'Logical_Switch_Port', 'web-01.prod', 'options:mcast_flood=false']],
    ['the record', ['set', 'Logical_Switch_Port', 'web-01.prod', 'options:handover-binding=dual']],
    ['whose it is', ['set', 'Logical_Switch_Port', 'web-01.prod', 'external_ids:pod=prod/web-02']],
    ['that it is anybody’s', ['remove', 'Logical_Switch_Port', 'web-01.prod', 'external_ids', 'pod']],
    ['the whole row, by deleting it', ['lsp-del', 'web-01.prod']],
  ])('fails if somebody changed %s in between, and writes nothing', async (_what, command) => {
    const [port] = await search();
    database.ctl(...command);
    const before = database.dump();
    await expect(northbound.commit([change(port, pin)], 'test')).rejects.toThrow(LookAgainError);
    expect(database.dump()).toBe(before);
  });

  test('does not mind a change of what it does not decide by', async () => {
    const [port] = await search();
    database.ctl('lsp-set-addresses', 'web-01.prod', 'unknown');
    // Kube-OVN replaces the column at each update of a target pod.
    database.ctl('set', 'Logical_Switch_Port', 'web-01.prod', 'external_ids={pod="prod/web-01",sg=x}');
    await northbound.commit([change(port, pin)], 'test');
    expect(options()).toMatchObject({ 'requested-chassis': 'chassis-1' });
  });

  test('changes all interfaces of a VM or none (kube-ovn #6241)', async () => {
    addPort(database, 'web-01.prod.tenant-a.prod.ovn');
    const ports = await search();
    database.ctl('set', 'Logical_Switch_Port', 'web-01.prod.tenant-a.prod.ovn', 'options:x=y');
    await expect(
      northbound.commit(
        ports.map((port) => change(port, pin)),
        'test',
      ),
    ).rejects.toThrow(LookAgainError);
    expect(options()).not.toHaveProperty('requested-chassis');

    await northbound.commit(
      (await search()).map((port) => change(port, pin)),
      'test',
    );
    for (const name of ['web-01.prod', 'web-01.prod.tenant-a.prod.ovn']) {
      expect(options(name)).toMatchObject({ 'requested-chassis': 'chassis-1' });
    }
  });

  test('of two that decided on the same row, only one counts', async () => {
    const [port] = await search();
    const settled = await Promise.allSettled([
      northbound.commit([change(port, pin)], 'one'),
      northbound.commit([change(port, arm)], 'other'),
    ]);
    expect(settled.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  test("tells OVN's own transaction log who it was, and why", async () => {
    const [port] = await search();
    const comment = 'ovn-handover reuse-port: VMI prod/web-01 "ünïcödé", rule 3d';
    await northbound.commit([change(port, pin)], comment);
    expect(database.log()).toContain(comment);
  });
});

describe('when OVN northbound is not well', () => {
  test('away for long, it is told as something that passes', async () => {
    const [port] = await search();
    await database.kill();
    try {
      await expect(northbound.commit([change(port, pin)], 'test')).rejects.toThrow(TryAgainError);
    } finally {
      await database.start();
    }
    expect(options()).not.toHaveProperty('requested-chassis');
  }, 20_000);

  test('killed and started again in the meantime, it is used again', async () => {
    const [port] = await search();
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
      const [port] = await relayed.searchPorts(VMI, []);
      const made = change(port, pin);
      lose = true;
      await expect(relayed.commit([made], 'test')).rejects.toThrow(OutcomeUnknownError);
      lose = false;
      const [after] = await relayed.searchPorts(VMI, []);
      expect(carriesChange(made, after!)).toBe(true);
      expect(options()).toMatchObject({ 'requested-chassis': 'chassis-1' });
    } finally {
      await behind.close();
      for (const socket of sockets) socket.destroy();
      relay.close();
    }
  });
});
