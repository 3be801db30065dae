import { setImmediate as tick } from 'node:timers/promises';
import { WorkQueue } from '../../functions/work-queue.ts';

function workshop() {
  const begun: PromiseWithResolvers<string>[] = [];
  const work = () => {
    const job = Promise.withResolvers<string>();
    begun.push(job);
    return job.promise;
  };
  return { begun, work };
}

test('a burst of calls costs two: the one that runs, and one that begins after it for all the others', async () => {
  const queue = new WorkQueue<string>();
  const { begun, work } = workshop();
  const calls = Array.from({ length: 10 }, () => queue.run('vm', work));
  expect(begun).toHaveLength(1);
  begun[0]?.resolve('first');
  await tick();
  expect(begun).toHaveLength(2);
  begun[1]?.resolve('second');
  const results = await Promise.all(calls);
  expect(results[0]).toEqual({ result: 'first', own: true });
  expect(results.slice(1).map(({ result }) => result)).toEqual(Array(9).fill('second'));
  expect(results.filter(({ own }) => own)).toHaveLength(2);
});

test('a call after the second has begun gets work that begins after the call', async () => {
  const queue = new WorkQueue<string>();
  const { begun, work } = workshop();
  const early = [queue.run('vm', work), queue.run('vm', work)];
  begun[0]?.resolve('first');
  await tick();
  const late = queue.run('vm', work);
  begun[1]?.resolve('second');
  await tick();
  begun[2]?.resolve('third');
  await expect(late).resolves.toEqual({ result: 'third', own: true });
  await Promise.all(early);
});

test('work that fails fails for those who shared it, and the next call begins anew', async () => {
  const queue = new WorkQueue<string>();
  const { begun, work } = workshop();
  const calls = [queue.run('vm', work), queue.run('vm', work), queue.run('vm', work)];
  const settled = Promise.allSettled(calls);
  begun[0]?.resolve('first');
  await tick();
  begun[1]?.reject(new Error('away'));
  expect((await settled).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
  const next = queue.run('vm', work);
  begun[2]?.resolve('again');
  await expect(next).resolves.toEqual({ result: 'again', own: true });
});

test('other keys do not wait', async () => {
  const queue = new WorkQueue<string>();
  const { begun, work } = workshop();
  const calls = [queue.run('a', work), queue.run('b', work)];
  expect(begun).toHaveLength(2);
  for (const job of begun) job.resolve('done');
  await Promise.all(calls);
});

test('no more keys than allowed are worked on at once; those that wait keep their order and share', async () => {
  const queue = new WorkQueue<string>(2);
  const { begun, work } = workshop();
  const calls = ['a', 'b', 'c', 'a', 'd', 'c'].map((key) => queue.run(key, work));
  expect(begun).toHaveLength(2);
  const waiting = ['c', 'a', 'd'];
  begun[1]?.resolve('b');
  await tick();
  expect(begun).toHaveLength(3);
  begun[0]?.reject(new Error('away'));
  await calls[0]?.catch(() => {});
  await tick();
  expect(begun).toHaveLength(4);
  for (const [index, key] of waiting.entries()) {
    begun[index + 2]?.resolve(key);
    await tick();
  }
  expect((await Promise.allSettled(calls)).map((settled) => settled.status === 'fulfilled' && settled.value)).toEqual([
    false,
    { result: 'b', own: true },
    { result: 'c', own: true },
    { result: 'a', own: true },
    { result: 'd', own: true },
    { result: 'c', own: false },
  ]);
});
