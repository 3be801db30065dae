import { type Operation, OvsdbClient } from '../../packages/ovsdb-client-ts/src/index.ts';

const PORTS_PER_DATAPATH = 1000;

/** What ovn-northd makes of ports in OVN southbound, as far as a function's searches have to pass it. */
export async function addPortBindings(remote: string, count: number): Promise<void> {
  await using client = new OvsdbClient({ remote, database: 'OVN_Southbound' });
  for (let first = 0; first < count; first += PORTS_PER_DATAPATH) {
    const datapath: Operation = {
      op: 'insert',
      table: 'Datapath_Binding',
      row: { tunnel_key: 1000 + first / PORTS_PER_DATAPATH },
      'uuid-name': 'datapath',
    };
    const ports = Array.from(
      { length: Math.min(PORTS_PER_DATAPATH, count - first) },
      (_, index): Operation => ({
        op: 'insert',
        table: 'Port_Binding',
        row: {
          logical_port: `vm-${first + index}.default`,
          datapath: ['named-uuid', 'datapath'],
          tunnel_key: index + 1,
        },
      }),
    );
    await client.transact([datapath, ...ports], { timeoutMs: 60_000 });
  }
}
