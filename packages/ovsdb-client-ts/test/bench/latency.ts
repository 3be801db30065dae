// From a write to its arrival in a cache of 10,000 ports, beside Go's libovsdb, in turns while one process writes.
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { schema } from '../../src/generated/ovn-nb.ts';
import { OvsdbClient } from '../../src/index.ts';
import { Northbound } from '../support/northbound.ts';
import { buildLibovsdb } from './libovsdb.ts';

const [seconds = '10', rounds = '3'] = process.argv.slice(2);
const ROWS = 10_000;
const WRITES_PER_SECOND = 500;
const PORT = 'vm-1.default';
const watcher = fileURLToPath(new URL('watch-latency.ts', import.meta.url));

interface Figures {
  updates: number;
  p50: number;
  p99: number;
}

await using northbound = await Northbound.start();
const { remote } = northbound;
await northbound.addPorts(ROWS);
await using client = new OvsdbClient({ remote, database: 'OVN_Northbound' });
const nb = client.typed(schema);

/** Starts it, waits until it says that it is ready, and writes for as long as it looks. */
async function measure(command: string, args: string[]): Promise<Figures> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = text(child.stdout);
  await new Promise((resolve) => child.stderr.once('data', resolve));
  const where = [['name', '==', PORT]] as const;
  const started = performance.now();
  for (let n = 0; performance.now() - started < Number(seconds) * 1000 - 500; ) {
    for (; n < ((performance.now() - started) / 1000) * WRITES_PER_SECOND; n++) {
      const us = String((performance.timeOrigin + performance.now()) * 1000);
      await nb.transact([nb.update('Logical_Switch_Port', where, { external_ids: { us } })]);
    }
    await sleep(1);
  }
  return JSON.parse(await output);
}

const p99: Record<'ours' | 'go', number[]> = { ours: [], go: [] };
for (let round = 0; round < Number(rounds); round++) {
  const node = ['--conditions=ovn-handover-source', '--no-warnings', watcher, remote, PORT, seconds];
  for (const [who, figures] of [
    ['ours', await measure(process.execPath, node)],
    ['go', await measure(buildLibovsdb(), ['latency', remote, PORT, seconds])],
  ] as const) {
    p99[who].push(figures.p99);
    const name = who === 'ours' ? 'ovsdb-client-ts' : 'libovsdb';
    console.log(
      `${name}: ${figures.updates} updates, p50 ${figures.p50.toFixed(0)} µs, p99 ${figures.p99.toFixed(0)} µs`,
    );
  }
}
const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
const isEnough = median(p99.ours) <= median(p99.go);
console.log(`p99 at most that of libovsdb, medians of ${rounds} rounds: ${isEnough ? 'PASS' : 'FAIL'}`);
process.exitCode = isEnough ? 0 : 1;
