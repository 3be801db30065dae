// Transactions a second beside Go's libovsdb, python3-openvswitch and ovsdb-client, in turns in one run.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { fromWireUuid, type Operation, OvsdbClient } from '../../src/index.ts';
import { Northbound } from '../support/northbound.ts';
import { runLibovsdb } from './libovsdb.ts';

const [count = '20000', rounds = '5'] = process.argv.slice(2);
/** Debian's own Python has Debian's python3-openvswitch. */
const PYTHON = '/usr/bin/python3';
const WANTED = 1.1;
const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

function ours(remote: string, id: string, inFlight: number): Record<string, number> {
  const args = [
    '--conditions=ovn-handover-source',
    '--no-warnings',
    file('transact.ts'),
    remote,
    id,
    count,
    String(inFlight),
  ];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

function python(remote: string): number {
  const args = [file('transactions.py'), remote, '/usr/share/ovn/ovn-nb.ovsschema', String(Number(count) / 5)];
  return Number(execFileSync(PYTHON, args, { encoding: 'utf8' }));
}

function command(remote: string): number {
  const update: Operation = { op: 'update', table: 'NB_Global', where: [], row: { nb_cfg: 1 } };
  const args = ['transact', remote, JSON.stringify(['OVN_Northbound', update])];
  const started = performance.now();
  for (let n = 0; n < 50; n++) execFileSync('ovsdb-client', args);
  return 50_000 / (performance.now() - started);
}

await using northbound = await Northbound.start();
const { remote } = northbound;
await using client = new OvsdbClient({ remote, database: 'OVN_Northbound' });
const [inserted] = await client.transact([{ op: 'insert', table: 'NB_Global', row: {} }]);
const id = fromWireUuid(inserted!.uuid!);
await client.close();

console.log(
  `transactions a second, each an update of one row, on one connection: medians of ${rounds} rounds in turns`,
);
for (const inFlight of [1, 100]) {
  const runs = Array.from({ length: Number(rounds) }, () => ({
    ours: ours(remote, id, inFlight),
    go: runLibovsdb('transactions', remote, id, count, String(inFlight)),
  }));
  const [mine, go] = [median(runs.map((run) => run.ours.perSecond!)), median(runs.map((run) => run.go.perSecond!))];
  const [cpu, goCpu] = [median(runs.map((run) => run.ours.cpuMicros!)), median(runs.map((run) => run.go.cpuMicros!))];
  const isEnough = mine >= WANTED * go;
  console.log(
    `${inFlight} in flight: ovsdb-client-ts ${mine.toFixed(0)} (${cpu.toFixed(0)} µs of CPU each), libovsdb ${go.toFixed(0)} ` +
      `(${goCpu.toFixed(0)} µs): ${(mine / go).toFixed(2)} x (at least ${WANTED} wanted): ${isEnough ? 'PASS' : 'FAIL'}`,
  );
  if (!isEnough) process.exitCode = 1;
}
console.log(`python3-openvswitch, one after the other: ${python(remote).toFixed(0)}`);
console.log(`ovsdb-client transact, a process each:    ${command(remote).toFixed(0)}`);
