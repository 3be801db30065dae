// Commits transactions, a number of them in flight, and prints how many a second and the CPU time of each in µs.
import { OvsdbClient, uuid } from 'ovsdb-client-ts';

const [remote, id, count, inFlight] = process.argv.slice(2);
await using client = new OvsdbClient({ remote: remote!, database: 'OVN_Northbound' });
const where = [['_uuid', '==', uuid(id!)]] as const;
const one = (n: number) =>
  client.transact([{ op: 'update', table: 'NB_Global', where, row: { nb_cfg: n } }], { timeoutMs: 60_000 });
for (let n = 0; n < 500; n++) await one(n);

let next = 0;
const work = async (): Promise<void> => {
  while (next < Number(count)) await one(next++);
};
const cpuBefore = process.cpuUsage();
const started = performance.now();
await Promise.all(Array.from({ length: Number(inFlight) }, work));
const seconds = (performance.now() - started) / 1000;
const { user, system } = process.cpuUsage(cpuBefore);
console.log(JSON.stringify({ perSecond: Number(count) / seconds, cpuMicros: (user + system) / Number(count) }));
