// Prints by how many bytes the heap grows with each use of what a long-lived client opens and closes.
import { setTimeout as sleep } from 'node:timers/promises';
import { schema } from '../generated/inventory.ts';
import { Inventory } from '../support/inventory.ts';

const [times = '2000'] = process.argv.slice(2);
const ROUNDS = 4;
/** Less than any object that is left behind. */
const MOST_BYTES = 40;

await using inventory = await Inventory.start();
await using client = inventory.client();
const db = client.typed(schema);
const { signal } = new AbortController();
const uses: Record<string, () => Promise<unknown>> = {
  transaction: () => client.transact([]),
  'transaction with a long-lived signal': () => client.transact([], { signal }),
  lock: async () => {
    await using _lock = await client.lock('x');
  },
  monitor: async () => {
    for await (const _event of client.monitor({ Box: {} }, { signal })) break;
  },
  cache: async () => {
    await using cache = db.cache({ Box: { columns: ['serial'] } }, { signal });
    await cache.ready;
  },
};

async function heapUsed(): Promise<number> {
  // What is finalized after one collection is collected by the next.
  for (let i = 0; i < 4; i++) {
    await sleep(50);
    globalThis.gc!();
  }
  return process.memoryUsage().heapUsed;
}

for (const [name, use] of Object.entries(uses)) {
  const growths: number[] = [];
  // What is compiled or enlarged once grows once; what is left behind grows in every round.
  for (let round = 0; round < ROUNDS; round++) {
    const before = await heapUsed();
    for (let i = 0; i < Number(times); i++) await use();
    growths.push(Math.round(((await heapUsed()) - before) / Number(times)));
  }
  const bytes = Math.min(...growths);
  console.log(`${name}: ${bytes} bytes`);
  if (bytes > MOST_BYTES) process.exitCode = 1;
}
console.log(process.exitCode ? 'FAIL' : 'PASS');
