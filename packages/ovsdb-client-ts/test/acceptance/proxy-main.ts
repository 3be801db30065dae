// Sends requests through a proxy that mistreats the stream. Passes when every promise settles within its limit, nothing
// is rejected unheard, and afterwards nothing keeps the process alive: it must end by itself.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Operation, type OvsdbClient, OvsdbError } from '../../src/index.ts';
import { FaultyProxy } from '../support/faulty-proxy.ts';
import { Inventory } from '../support/inventory.ts';

const [requests = '10000', seed = String(Date.now() % 100_000)] = process.argv.slice(2);
const WORKERS = 50;
/** What a busy machine may be late, in milliseconds. */
const SLACK_MS = 250;

const problems: string[] = [];
process.on('unhandledRejection', (error) => problems.push(`unhandled rejection: ${error}`));
process.on('uncaughtException', (error) => problems.push(`uncaught exception: ${error}`));

const outcomes = new Map<string, number>();
let settled = 0;
let latest = 0;

async function one(client: OvsdbClient, number: number): Promise<void> {
  const timeoutMs = 50 + (number % 10) * 50;
  const started = performance.now();
  const outcome = await request(client, number, timeoutMs).then(
    () => 'answered',
    (error: unknown) => (error instanceof OvsdbError ? error.code : `not an error of ours: ${error}`),
  );
  const late = performance.now() - started - timeoutMs;
  latest = Math.max(latest, late);
  if (late > SLACK_MS) problems.push(`request ${number} was ${late.toFixed(0)} ms late`);
  if (outcome.startsWith('not an error')) problems.push(outcome);
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  settled++;
}

function request(client: OvsdbClient, number: number, timeoutMs: number): Promise<unknown> {
  const name = `item-${number}-${'x'.repeat(number % 500)}`;
  const wait: Operation = { op: 'wait', table: 'Item', where: [], columns: ['name'], until: '!=', rows: [] };
  const insert: Operation = { op: 'insert', table: 'Box', row: { serial: name, size: 'small' } };
  switch (number % 5) {
    case 0:
      return client.transact([insert], { timeoutMs });
    case 1:
      return client.transact([{ op: 'select', table: 'Box', where: [['serial', '==', name]] }], { timeoutMs });
    case 2:
      return client.echo([name], { timeoutMs });
    case 3:
      return client.transact([{ ...wait, timeout: number % 100 }], { timeoutMs });
    default:
      return client.transact([insert], { timeoutMs, signal: AbortSignal.timeout(1 + (number % 40)) });
  }
}

const started = performance.now();
{
  await using inventory = await Inventory.start();
  await using proxy = await FaultyProxy.start(inventory.remote.slice('unix:'.length), {
    seed: Number(seed),
    oneIn: 20,
  });
  const clients = Array.from({ length: 5 }, () => inventory.client({ remote: proxy.remote, probeIntervalMs: 200 }));
  const monitors = clients.map(async (client) => {
    await using monitor = client.monitor({ Box: {} });
    for await (const _event of monitor) if (settled >= Number(requests)) return;
  });
  // A proxy that lies may also make a server reject a monitor; what matters is that the reader hears of it.
  const ended = Promise.allSettled(monitors);
  let next = 0;
  const work = async (worker: number): Promise<void> => {
    while (next < Number(requests)) await one(clients[worker % clients.length]!, next++);
  };
  await Promise.all(Array.from({ length: WORKERS }, (_, worker) => work(worker)));
  await Promise.all(clients.map((client) => client.close()));
  await ended;
  console.log(`seed ${seed}; faults ${JSON.stringify(proxy.counts)}`);
}
await sleep(600);
const handles = process
  .getActiveResourcesInfo()
  .filter((name) => /TCP|Pipe|TLS|Timeout|FSReq/.test(name) && !isStdio(name));
if (handles.length > 0) problems.push(`still open: ${handles.join(', ')}`);
console.log(`${settled} of ${requests} requests settled in ${((performance.now() - started) / 1000).toFixed(0)} s`);
console.log(`outcomes ${JSON.stringify(Object.fromEntries([...outcomes].sort()))}`);
console.log(`latest by ${latest.toFixed(0)} ms after its limit; open handles ${handles.length}`);
console.log(problems.length === 0 ? 'PASS' : `FAIL\n${problems.slice(0, 20).join('\n')}`);
process.exitCode = problems.length === 0 ? 0 : 1;

/** The pipes of standard output and error, when they are pipes. */
function isStdio(name: string): boolean {
  return name === 'PipeWrap' && !process.stdout.isTTY;
}
