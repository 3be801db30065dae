import { setTimeout as sleep } from 'node:timers/promises';
import { type Operation, OutcomeUnknownError, type OvsdbClient, OvsdbError, RpcError } from '../src/index.ts';
import { lockAtRandom } from './acceptance/locks.ts';
import { Inventory } from './support/inventory.ts';

let inventory: Inventory;
beforeAll(async () => {
  inventory = await Inventory.start();
});
afterAll(async () => {
  await inventory[Symbol.asyncDispose]();
});

/** What the server says, whatever the client believes. */
async function owns(client: OvsdbClient, lock: string): Promise<boolean> {
  const assert: Operation = { op: 'assert', lock };
  return await client.transact([assert]).then(
    () => true,
    (error) => {
      if (error.tag !== 'not owner') throw error;
      return false;
    },
  );
}

it('is held in turn, and the server knows by whom', async () => {
  await using first = inventory.client();
  await using second = inventory.client();
  const held = await first.lock('turns');
  const queued = await second.lock('turns');
  expect([held.isHeld, queued.isHeld]).toEqual([true, false]);
  expect([await owns(first, 'turns'), await owns(second, 'turns')]).toEqual([true, false]);
  await held.unlock();
  await queued.held({ timeoutMs: 5000 });
  expect(await owns(second, 'turns')).toBe(true);
});

it('is lost for good when it is stolen: the server does not give it back to whom nobody listens', async () => {
  await using first = inventory.client();
  await using thief = inventory.client();
  await using third = inventory.client();
  const held = await first.lock('stolen');
  const queued = await third.lock('stolen');
  const taken = await thief.steal('stolen');
  expect(taken.isHeld).toBe(true);
  expect((await held.lost).message).toMatch('stolen');
  expect(held.isHeld).toBe(false);
  await first.echo([]);
  await taken.unlock();
  await queued.held({ timeoutMs: 5000 });
  expect([await owns(first, 'stolen'), await owns(third, 'stolen')]).toEqual([false, true]);
  const again = await first.lock('stolen');
  await queued.unlock();
  await again.held({ timeoutMs: 5000 });
});

it('takes no harm from a second request for it by the same client', async () => {
  await using client = inventory.client();
  await using thief = inventory.client();
  const held = await client.lock('twice');
  await expect(client.lock('twice')).rejects.toBeInstanceOf(RpcError);
  await expect(client.steal('twice')).rejects.toBeInstanceOf(RpcError);
  const controller = new AbortController();
  const givenUp = client.lock('twice', { signal: controller.signal }).catch((error) => error);
  await new Promise(setImmediate);
  controller.abort();
  expect(await givenUp).toBeInstanceOf(OvsdbError);
  expect(await owns(client, 'twice')).toBe(true);
  expect(held.isHeld).toBe(true);
  await thief.steal('twice');
  expect((await held.lost).message).toMatch('stolen');
});

it('leaves the queue when its request ran out of time', async () => {
  await using own = await Inventory.start();
  await using client = own.client();
  await using other = own.client();
  await Promise.all([client.echo([]), other.echo([])]);
  own.server.pause();
  const error = await client.lock('late', { timeoutMs: 100 }).catch((e) => e);
  own.server.resume();
  expect(error).toBeInstanceOf(OutcomeUnknownError);
  const lock = await other.lock('late');
  await lock.held({ timeoutMs: 5000 });
  expect(await owns(other, 'late')).toBe(true);
});

it('says that the release is not confirmed, and it comes all the same', async () => {
  await using own = await Inventory.start();
  await using client = own.client();
  await using other = own.client();
  const lock = await client.lock('slow');
  const queued = await other.lock('slow');
  own.server.pause();
  const error = await lock.unlock({ timeoutMs: 100 }).catch((e) => e);
  own.server.resume();
  expect(error).toBeInstanceOf(OutcomeUnknownError);
  await queued.held({ timeoutMs: 5000 });
  expect(await client.echo(['the connection goes on'])).toEqual(['the connection goes on']);
});

it('is lost with the connection', async () => {
  const client = inventory.client();
  const lock = await client.lock('brief');
  await client.close();
  expect((await lock.lost).message).toMatch('closed');
  await lock.unlock();
});

it('is waited for until it is held, or the wait is over', async () => {
  await using first = inventory.client();
  await using second = inventory.client();
  await first.lock('waited');
  const queued = await second.lock('waited');
  await expect(queued.held({ timeoutMs: 20 })).rejects.toThrow('lock "waited" is not held: 20 ms passed');
  const waiting = queued.held().catch((error) => error);
  await sleep(20);
  await queued.unlock();
  expect((await waiting).message).toBe('lock "waited" was released');
});

it('is where a model says, whatever clients do with it', async () => {
  expect(await lockAtRandom({ steps: 300, seed: 1 })).toMatchObject({ steps: 300, problems: [] });
}, 60_000);
