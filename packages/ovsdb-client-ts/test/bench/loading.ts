// Loads all ports by monitor, in turns with Go's libovsdb and Debian's python3-openvswitch (its IDL with the parser in C).
import { execFileSync } from 'node:child_process';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { schema } from '../../src/generated/ovn-nb.ts';
import { Framer } from '../../src/wire/framer.ts';
import { Northbound } from '../support/northbound.ts';
import { runLibovsdb } from './libovsdb.ts';

const [rows = '100000', rounds = '3'] = process.argv.slice(2);
/** Debian's own Python has Debian's python3-openvswitch. */
const PYTHON = '/usr/bin/python3';
const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

interface Run {
  seconds: number;
  cpuSeconds?: number;
  mib: number;
  reading: number;
}

function run(command: string, args: string[]): Run {
  const [seconds, loaded, mib, reading, cpuSeconds] = execFileSync(command, args, { encoding: 'utf8' }).split(/\s+/);
  if (loaded !== rows) throw new Error(`${command} loaded ${loaded} of ${rows} rows`);
  return { seconds: Number(seconds), mib: Number(mib), reading: Number(reading), cpuSeconds: Number(cpuSeconds) };
}

function runGo(remote: string): Run {
  const { seconds, cpuSeconds, rows: loaded } = runLibovsdb('loading', remote);
  if (String(loaded) !== rows) throw new Error(`libovsdb loaded ${loaded} of ${rows} rows`);
  return { seconds: seconds!, cpuSeconds: cpuSeconds!, mib: 0, reading: 0 };
}

/** What the server itself needs for the answer, which is part of both. */
async function serverAlone(remote: string): Promise<number> {
  const started = performance.now();
  const socket = connect(remote.slice('unix:'.length));
  // Without columns there would be `_version` too, which nobody else asks for.
  const columns = Object.keys(schema.tables.Logical_Switch_Port!.columns);
  const since = '00000000-0000-0000-0000-000000000000';
  const params = ['OVN_Northbound', 'm', { Logical_Switch_Port: { columns } }, since];
  socket.write(JSON.stringify({ id: 1, method: 'monitor_cond_since', params }));
  await new Promise<void>((resolve) => {
    const framer = new Framer(() => resolve());
    socket.on('data', (chunk) => framer.push(chunk as Buffer));
  });
  socket.destroy();
  return (performance.now() - started) / 1000;
}

function median(runs: Run[]): Run {
  return runs.toSorted((a, b) => a.seconds - b.seconds)[Math.floor(runs.length / 2)]!;
}

await using northbound = await Northbound.start();
await northbound.addPorts(Number(rows));
const server: Run[] = [];
const ours: Run[] = [];
const theirs: Run[] = [];
const gos: Run[] = [];
for (let round = 0; round < Number(rounds); round++) {
  server.push({ seconds: await serverAlone(northbound.remote), mib: 0, reading: 0 });
  ours.push(
    run(process.execPath, [
      '--conditions=ovn-handover-source',
      '--no-warnings',
      file('load-rows.ts'),
      northbound.remote,
    ]),
  );
  gos.push(runGo(northbound.remote));
  theirs.push(
    run(PYTHON, [file('load_rows.py'), northbound.remote, '/usr/share/ovn/ovn-nb.ovsschema', 'Logical_Switch_Port']),
  );
}
const [mine, python, go] = [median(ours), median(theirs), median(gos)];
const ratio = python.seconds / mine.seconds;
console.log(`${rows} rows of Logical_Switch_Port, medians of ${rounds} runs in turns`);
console.log(`the server alone, in both: ${median(server).seconds.toFixed(2)} s`);
console.log(
  `ovsdb-client-ts:     ${mine.seconds.toFixed(2)} s, ${mine.mib.toFixed(0)} MiB; ${mine.reading.toFixed(2)} s more to read every row`,
);
console.log(`python3-openvswitch: ${python.seconds.toFixed(2)} s, ${python.mib.toFixed(0)} MiB`);
console.log(`libovsdb:            ${go.seconds.toFixed(2)} s`);
console.log(`${ratio.toFixed(1)} x as fast as Python (at least 5 wanted): ${ratio >= 5 ? 'PASS' : 'FAIL'}`);
const [time, cpu] = [mine.seconds / go.seconds, mine.cpuSeconds! / go.cpuSeconds!];
const isEnough = time <= 0.5 && cpu <= 0.15;
console.log(
  `${time.toFixed(2)} x libovsdb's time (at most 0.5) and ${cpu.toFixed(2)} x its CPU (at most 0.15): ${isEnough ? 'PASS' : 'FAIL'}`,
);
process.exitCode = ratio >= 5 && isEnough ? 0 : 1;
