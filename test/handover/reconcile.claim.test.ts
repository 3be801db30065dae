/** What OVN may miss of a hand-over, and who sees to it. */
import { beforeEach, expect, test } from '@jest/globals';
import { Model, rulesOf } from './support/model.ts';

let model: Model;
let migration: ReturnType<Model['migrate']>;
beforeEach(async () => {
  model = new Model();
  migration = model.migrate('b');
  await model.call('enable-dual-chassis');
  model.api.markReady(model.vm, migration.pod);
  model.events.length = 0;
});

/** The chassis of the target misses so many claims. */
function miss(times: number): void {
  let left = times;
  model.southbound.missesClaim = () => left-- > 0;
}

const isOpen = () => model.southbound.isOpen(model.port, 'b');

test('a claim that was missed is asked for again by whoever handed the port over, and told', async () => {
  miss(1);
  const { changes } = await model.call('disable-dual-chassis');
  expect(rulesOf({ changes })).toEqual(['3a', '3a']);
  expect(isOpen()).toBe(true);
  expect(model.reasons()).toEqual(['PortPinned', 'ClaimMissed']);
  expect(model.warnings()[0]?.message).toContain(
    'vm0.prod is bound to chassis-b alone, and ovn-controller there has not',
  );
});

test('a claim that was not missed costs a look and no write', async () => {
  const before = model.writes().length;
  await model.call('disable-dual-chassis');
  expect(model.writes()).toHaveLength(before + 1);
  expect(model.warnings()).toEqual([]);
});

test('a function that is killed before it has looked leaves that to whoever comes next', async () => {
  miss(1);
  model.onSleep = () => {
    throw new Error('killed');
  };
  await expect(model.call('disable-dual-chassis')).rejects.toThrow('killed');
  expect(isOpen()).toBe(false);
  model.onSleep = () => {};
  model.succeed(migration);
  model.restart();
  await model.call('reconcile');
  expect(isOpen()).toBe(true);
  expect(model.binding()).toBe('chassis-b, record pinned');
});

test('a chassis that misses every claim is asked five times, and the binding stays', async () => {
  miss(Number.POSITIVE_INFINITY);
  model.succeed(migration);
  const [left] = model.vm.pods;
  model.api.deletePod(model.vm, left!);
  model.vm.taps.delete(left!.metadata.uid);
  const { changes } = await model.call('reconcile');
  expect(changes).toHaveLength(6);
  expect(model.binding()).toBe('chassis-b, record pinned');
  miss(0);
  await model.call('reconcile');
  expect(model.binding()).toBe('nothing, record none');
  expect(isOpen()).toBe(true);
});
