// Transactions a second: one after the other, 100 in flight, and what ovsdb-client and python3-openvswitch do.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Operation, OvsdbClient } from '../../src/index.ts';
import { Northbound } from '../support/northbound.ts';

const [count = '10000'] = process.argv.slice(2);
const PYTHON = '/usr/bin/python3';
const IN_FLIGHT = 100;

async function perSecond(
  transactions: number,
  inFlight: number,
  one: (n: number) => Promise<unknown>,
): Promise<number> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < transactions) await one(next++);
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: inFlight }, work));
  return (transactions * 1000) / (performance.now() - started);
}

await using northbound = await Northbound.start();
await using client = new OvsdbClient({ remote: northbound.remote, database: 'OVN_Northbound' });
await client.transact([{ op: 'insert', table: 'NB_Global', row: {} }]);
const update = (n: number): Operation => ({ op: 'update', table: 'NB_Global', where: [], row: { nb_cfg: n } });
const transact = (n: number): Promise<unknown> => client.transact([update(n)]);

await perSecond(500, 10, transact);
const sequential = await perSecond(Number(count), 1, transact);
const inFlight = await perSecond(Number(count), IN_FLIGHT, transact);
const command = await perSecond(100, 1, async (n) =>
  execFileSync('ovsdb-client', ['transact', northbound.remote, JSON.stringify(['OVN_Northbound', update(n)])]),
);
const python = execFileSync(
  PYTHON,
  [
    fileURLToPath(new URL('transactions.py', import.meta.url)),
    northbound.remote,
    '/usr/share/ovn/ovn-nb.ovsschema',
    String(Math.ceil(Number(count) / 5)),
  ],
  { encoding: 'utf8' },
);
console.log('transactions a second, each an update of one row, on one connection');
console.log(`ovsdb-client-ts, one after the other:     ${sequential.toFixed(0)}`);
console.log(`ovsdb-client-ts, ${IN_FLIGHT} in flight:          ${inFlight.toFixed(0)}`);
console.log(`python3-openvswitch, one after the other: ${Number(python).toFixed(0)}`);
console.log(`ovsdb-client transact, a process each:    ${command.toFixed(0)}`);
