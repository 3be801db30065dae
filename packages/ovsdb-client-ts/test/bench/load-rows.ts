// Loads a table into a typed cache and prints the seconds, the rows, the process's greatest size in MiB, the seconds it
// took then to read every row once, and the CPU seconds of the loading.
import { OvsdbClient } from 'ovsdb-client-ts';
import { schema } from 'ovsdb-client-ts/ovn-nb';

/** Whatever else the machine does, how long it takes is what is asked. */
const noLimit = Number.POSITIVE_INFINITY;
await using client = new OvsdbClient({
  remote: process.argv[2]!,
  database: 'OVN_Northbound',
  connectTimeoutMs: noLimit,
  requestTimeoutMs: noLimit,
  snapshotTimeoutMs: noLimit,
});
await client.echo([]);
const cpuBefore = process.cpuUsage();
const started = performance.now();
await using cache = client.typed(schema).cache({ Logical_Switch_Port: {} });
await cache.ready;
const seconds = (performance.now() - started) / 1000;
const { user, system } = process.cpuUsage(cpuBefore);
const { size } = cache.tables.Logical_Switch_Port;
const beforeReading = performance.now();
for (const { name } of cache.tables.Logical_Switch_Port.values())
  if (name === '') throw new Error('a port without name');
const reading = (performance.now() - beforeReading) / 1000;
console.log(seconds, size, process.resourceUsage().maxRSS / 1024, reading, (user + system) / 1e6);
