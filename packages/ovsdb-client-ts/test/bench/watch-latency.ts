// Holds all ports in a cache and prints how long after its write each change of one of them came, in µs.
import { OvsdbClient } from 'ovsdb-client-ts';
import { schema } from 'ovsdb-client-ts/ovn-nb';

const [remote, name, seconds] = process.argv.slice(2);
await using client = new OvsdbClient({ remote: remote!, database: 'OVN_Northbound' });
await using cache = client.typed(schema).cache({ Logical_Switch_Port: {} });
await cache.ready;
const micros: number[] = [];
setTimeout(() => void cache.close(), Number(seconds) * 1000);
let isFirst = true;
for await (const changes of cache) {
  const now = (performance.timeOrigin + performance.now()) * 1000;
  if (isFirst) console.error('ready');
  for (const { after } of isFirst ? [] : changes) {
    if (after !== undefined && after.name === name) micros.push(now - Number(after.external_ids.get('us')));
  }
  isFirst = false;
}
micros.sort((a, b) => a - b);
const at = (share: number): number | undefined => micros[Math.floor((micros.length - 1) * share)];
console.log(JSON.stringify({ updates: micros.length, p50: at(0.5), p99: at(0.99) }));
