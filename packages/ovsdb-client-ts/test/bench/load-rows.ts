// Loads a table into a typed cache and prints the seconds, the rows, and the process's greatest size in MiB.
import { OvsdbClient } from 'ovsdb-client-ts';
import { schema } from 'ovsdb-client-ts/ovn-nb';

const started = performance.now();
await using client = new OvsdbClient({ remote: process.argv[2]!, database: 'OVN_Northbound' });
await using cache = client.typed(schema).cache({ Logical_Switch_Port: {} });
await cache.ready;
const seconds = (performance.now() - started) / 1000;
console.log(seconds, cache.tables.Logical_Switch_Port.size, process.resourceUsage().maxRSS / 1024);
