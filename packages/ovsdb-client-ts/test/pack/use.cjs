const assert = require('node:assert');
const { OvsdbClient } = require('ovsdb-client-ts');
const { schema } = require('ovsdb-client-ts/ovn-nb');
const { version } = require('ovsdb-client-ts/package.json');

const client = new OvsdbClient({ remote: process.env.OVSDB_REMOTE, database: 'OVN_Northbound' });
const nb = client.typed(schema);
nb.transact([nb.select('NB_Global', [])])
  .then(([rows]) => assert(Array.isArray(rows)))
  .then(() => assert.match(version, /^\d+\.\d+\.\d+/))
  .finally(() => client.close());
