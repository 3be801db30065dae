/** How a migration went stands on its VMIM afterwards, whatever happened to those that write it. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { type MigrationRecord, migrationRecordOf } from '../../handover/decision/migration-record.ts';
import { Model, REFERENCE } from './support/model.ts';

let model: Model;
beforeEach(() => {
  model = new Model();
});

function history(): MigrationRecord | undefined {
  return migrationRecordOf(model.vm.vmims.at(-1)!);
}

/** Its moments, and who each is by. */
function momentNames(): string[] {
  const names = ['pinned', 'ungated', 'dual', 'switched', 'pinnedToTarget', 'pinnedBack', 'released'] as const;
  return names.filter((name) => history()?.[name]).map((name) => `${name} by ${history()![name]!.by}`);
}

const patches = () => model.requestsTo('PATCH').filter(({ path }) => path.includes('virtualmachineinstancemigrations'));

test('a migration that succeeds tells of all its moments, each by whose step it was', async () => {
  const migration = model.migrate(undefined, true);
  await model.call('reuse-port');
  expect(momentNames()).toEqual(['pinned by reuse-port']);
  const dual = model.call('enable-dual-chassis');
  model.onSleep = () => model.plug(migration.pod, 'b');
  await dual;
  expect(momentNames()).toEqual([
    'pinned by reuse-port',
    'ungated by enable-dual-chassis',
    'dual by enable-dual-chassis',
  ]);
  const source = model.vm.pods[0]!;
  model.advance(3_000);
  model.succeed(migration);
  const sentAt = Date.now();
  model.advance(250);
  const event = { id: '1', traceparent: undefined, givenUpBy: undefined, sentAt, showsSwitch: true };
  await model.call('disable-dual-chassis', { vmi: REFERENCE, event });
  model.api.deletePod(model.vm, source);
  await model.call('release-port');
  expect(momentNames().slice(3)).toEqual([
    'switched by undefined',
    'pinnedToTarget by disable-dual-chassis',
    'released by release-port',
  ]);
  expect(history()).toMatchObject({ source: 'a', target: 'b', pinnedToTarget: { lateMs: 250 } });
  expect(history()?.marginMs).toBe(sentAt - Date.parse(history()!.dual!.at));
  expect(history()).not.toHaveProperty('warnings');
});

test('a call writes the record once, after everything that a migration waits for', async () => {
  const { pod } = model.migrate(undefined, true);
  model.onSleep = () => model.plug(pod, 'b');
  await model.call('reuse-port');
  model.exchanges.length = 0;
  await model.call('enable-dual-chassis');
  expect(patches()).toHaveLength(1);
  expect(model.exchanges.at(-1)).toBe(patches()[0]);
});

test('a record is not written again where there is nothing to add', async () => {
  model.migrate('b');
  await model.call('enable-dual-chassis');
  expect(patches()).toHaveLength(1);
  for (const name of ['reuse-port', 'enable-dual-chassis', 'disable-dual-chassis', 'reconcile'] as const) {
    await model.call(name);
  }
  expect(patches()).toHaveLength(1);
});

test('what a function did before it was killed, its next call tells', async () => {
  model.migrate('b');
  model.beforeExchange = ({ method, path }) => {
    if (method === 'PATCH' && path.includes('virtualmachineinstancemigrations')) throw new Error('away');
  };
  await model.call('enable-dual-chassis');
  expect(history()).toBeUndefined();
  expect(model.lines).toContain('warn Kubernetes API: patch VMIM prod/kubevirt-migrate-vm0-3: away');
  model.beforeExchange = () => {};
  model.advance(1_000);
  const since = model.port.options['handover-since'];
  await model.call('enable-dual-chassis');
  expect(history()).toEqual({ source: 'a', target: 'b', dual: { at: since } });
});

test('what was committed is told also where the call fails afterwards', async () => {
  model.migrate(undefined, true);
  model.beforeExchange = ({ method, path }) => {
    if (method === 'PATCH' && path.includes('pods')) throw new Error('away');
  };
  await expect(model.call('reuse-port')).rejects.toThrow('away');
  expect(momentNames()).toEqual(['pinned by reuse-port']);
});

test('a warning is told once, and a VM without a port has nothing else to tell', async () => {
  model = new Model({ ports: [] });
  model.migrate(undefined, true);
  await model.call('reuse-port');
  expect(history()?.warnings?.map(({ reason }) => reason)).toEqual(['NoPort']);
  expect(momentNames()).toEqual(['ungated by reuse-port']);
});

test('times that somebody has made up are not written, and wake nobody again and again', async () => {
  const { pod } = model.migrate('b');
  await model.call('enable-dual-chassis');
  model.write({ options: { ...model.port.options, 'handover-since': 'for ever' } });
  const annotations = { 'kubevirt.io/migration-target-ready-timestamp': '+275760-09-13 00:00:00 UTC' };
  model.api.annotatePod(model.vm, pod, annotations);
  for (let round = 0; round < 3; round++) {
    for (const name of ['enable-dual-chassis', 'disable-dual-chassis', 'reconcile'] as const) await model.call(name);
  }
  expect(momentNames()).toEqual(['dual by enable-dual-chassis', 'pinnedToTarget by disable-dual-chassis']);
  expect(patches()).toHaveLength(2);
});

test('a migration that fails was pinned back', async () => {
  const { uid } = model.migrate('b');
  await model.call('enable-dual-chassis');
  model.setPhase(uid, 'Failed');
  await model.call('disable-dual-chassis');
  expect(momentNames()).toEqual(['dual by enable-dual-chassis', 'pinnedBack by disable-dual-chassis']);
});

test('a VM that has not opted in gets no record', async () => {
  model = new Model({ optedIn: false });
  const migration = model.migrate('b');
  for (const name of ['reuse-port', 'enable-dual-chassis', 'reconcile'] as const) await model.call(name);
  model.succeed(migration);
  await model.call('disable-dual-chassis');
  expect(patches()).toEqual([]);
});

describe('an event that a function did not take', () => {
  const by = 'http://enable-dual-chassis.ovn-handover.svc.cluster.local';
  const event = { id: '1', traceparent: undefined, givenUpBy: by, sentAt: undefined, showsSwitch: false };
  const request = { vmi: REFERENCE, event };

  test('is a warning of its migration, and reconcile does what was to be done', async () => {
    model.migrate('b');
    await model.call('reconcile', request);
    expect(momentNames()).toEqual(['dual by reconcile']);
    expect(history()?.warnings?.map(({ reason }) => reason)).toEqual(['EventGivenUp']);
    expect(model.warnings()).toMatchObject([
      {
        by: 'reconcile',
        message: `An event of migration kubevirt-migrate-vm0-3 was brought to ${by} in vain, in all its retries: reconcile looks in its place. Does that function start, and reach OVN's databases?`,
      },
    ]);
  });

  test('is cut short where its address is long', async () => {
    model.migrate('b');
    await model.call('reconcile', { vmi: REFERENCE, event: { ...event, givenUpBy: 'x'.repeat(300) } });
    expect(model.warnings()[0]!.message).toContain(`to ${'x'.repeat(256)} in vain`);
  });

  test('is none of a VM that has not opted in, or that does not migrate', async () => {
    await model.call('reconcile', request);
    model = new Model({ optedIn: false });
    model.migrate('b');
    await model.call('reconcile', request);
    expect(model.warnings()).toEqual([]);
  });
});
