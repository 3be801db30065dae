import { OvsdbClient, TransactionError, type Uuid } from 'ovsdb-client-ts';
import { schema as packagedNorthbound } from 'ovsdb-client-ts/ovn-nb';
import { schema as packagedSouthbound } from 'ovsdb-client-ts/ovn-sb';
import { schema as vtepSchema } from './hardware_vtep.js';
import { type LogicalSwitchPort, schema as northboundSchema } from './ovn-nb.js';
import { schema as southboundSchema } from './ovn-sb.js';
import { schema as switchSchema } from './vswitch.js';

const remote = process.env.OVSDB_REMOTE!;
const client = (database: string) => new OvsdbClient({ remote, database });

{
  await using connection = client('OVN_Northbound');
  const northbound = connection.typed(northboundSchema);
  const port = northbound.insert('Logical_Switch_Port', { name: 'packed', options: { 'requested-chassis': 'node1' } });
  const [id] = await northbound.transact([
    port,
    northbound.insert('Logical_Switch', { name: 'packed', ports: [port.ref] }),
  ]);
  const uuid: Uuid<'Logical_Switch_Port'> = id;
  const where = [['_uuid', '==', uuid]] as const;
  const [[row]] = await northbound.transact([northbound.select('Logical_Switch_Port', where)]);
  const typed: LogicalSwitchPort = row!;
  console.log(typed.name, typed.options, typed.up);
  // @ts-expect-error a column that the table does not have
  const misspelt = () => northbound.insert('Logical_Switch_Port', { nmae: 'vm2' });
  const guard = northbound.wait('Logical_Switch_Port', where, [{ name: 'another' }]);
  const rejection = await northbound.transact([guard]).catch((error: unknown) => error);
  console.log(typeof misspelt, rejection instanceof TransactionError && rejection.guardFailed);
  await northbound.transact([northbound.delete('Logical_Switch', [['name', '==', 'packed']])]);
}
{
  await using connection = client('OVN_Southbound');
  const southbound = connection.typed(southboundSchema);
  const [id] = await southbound.transact([southbound.insert('SB_Global', { options: { a: '1' } })]);
  const [[row]] = await southbound.transact([southbound.select('SB_Global', [['_uuid', '==', id]], ['options'])]);
  console.log('SB_Global', row!.options.get('a'));
  await southbound.transact([southbound.delete('SB_Global', [['_uuid', '==', id]])]);
}
{
  await using connection = client('Open_vSwitch');
  const vswitch = connection.typed(switchSchema);
  const bridge = vswitch.insert('Bridge', { name: 'br0' });
  const [id] = await vswitch.transact([
    vswitch.insert('Open_vSwitch', { bridges: [bridge.ref], external_ids: { 'system-id': 'a' } }),
    bridge,
  ]);
  const [[row]] = await vswitch.transact([vswitch.select('Open_vSwitch', [['_uuid', '==', id]])]);
  // The table, and not the database of the same name.
  const bridges: readonly Uuid<'Bridge'>[] = row!.bridges;
  // @ts-expect-error a table of the database, which is no column of the table
  const noColumn = () => row!.Bridge;
  // @ts-expect-error a column of the table, which is no table of the database
  const noTable = () => vswitch.insert('bridges', {} as never);
  console.log('Open_vSwitch', bridges.length, row!.external_ids.get('system-id'), typeof noColumn, typeof noTable);
  await vswitch.transact([vswitch.delete('Open_vSwitch', [['_uuid', '==', id]])]);
}
{
  await using connection = client('hardware_vtep');
  const vtep = connection.typed(vtepSchema);
  const [id] = await vtep.transact([vtep.insert('Logical_Switch', { name: 'ls0', tunnel_key: 5n })]);
  const [[row]] = await vtep.transact([vtep.select('Logical_Switch', [['_uuid', '==', id]])]);
  console.log('hardware_vtep', row!.name, row!.tunnel_key);
  await vtep.transact([vtep.delete('Logical_Switch', [['_uuid', '==', id]])]);
}
console.log(packagedNorthbound.name, packagedSouthbound.name);
