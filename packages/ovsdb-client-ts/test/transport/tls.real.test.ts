import { copyFileSync, readFileSync } from 'node:fs';
import { freePort } from '../../../../lab/free-port.ts';
import { OvsdbClient, type OvsdbClientOptions } from '../../src/index.ts';
import { createDatabase } from '../../src/test-server/database-file.ts';
import { OvsdbServer } from '../../src/test-server/ovsdb-server.ts';
import { Authority } from '../support/certificates.ts';
import { inventorySchema } from '../support/inventory.ts';
import { TemporaryDirectory } from '../support/server.ts';

let directory: TemporaryDirectory;
let authority: Authority;
let server: OvsdbServer;
let remote: string;

beforeAll(async () => {
  directory = new TemporaryDirectory();
  authority = new Authority(directory);
  const { cert, key, ca } = authority.issue('server');
  const port = await freePort();
  remote = `ssl:127.0.0.1:${port}`;
  server = await OvsdbServer.start({
    databases: [createDatabase(directory.path, inventorySchema)],
    remotes: [`pssl:${port}:127.0.0.1`],
    directory: directory.path,
    args: [`--certificate=${cert}`, `--private-key=${key}`, `--ca-cert=${ca}`],
  });
});
afterAll(async () => {
  await server.kill();
  directory[Symbol.dispose]();
});

function client(options: Partial<OvsdbClientOptions>): OvsdbClient {
  return new OvsdbClient({ remote, database: 'Inventory', ...options });
}

it('proves itself to the server and checks whose certificate the server has', async () => {
  await using mutual = client({ tls: authority.issue('client') });
  expect(await mutual.echo(['secret'])).toEqual(['secret']);
});

it('takes what would be in the files from memory', async () => {
  const { cert, key, ca } = authority.issue('memory');
  await using mutual = client({ tls: { cert: readFileSync(cert), key: readFileSync(key), ca: readFileSync(ca) } });
  expect(await mutual.echo(['secret'])).toEqual(['secret']);
});

it('rejects a server whose certificate another authority has signed', async () => {
  const stranger = new Authority(directory, 'stranger');
  await using deceived = client({ tls: { ...authority.issue('client'), ca: stranger.certificate } });
  await expect(deceived.echo([], { timeoutMs: 500 })).rejects.toMatchObject({
    code: 'OVSDB_CONNECT',
    message: expect.stringMatching(/certificate|self.signed/),
  });
});

it('checks the name in the certificate when told to', async () => {
  await using strict = client({ tls: { ...authority.issue('client'), serverName: 'another' } });
  await expect(strict.echo([], { timeoutMs: 500 })).rejects.toMatchObject({ code: 'OVSDB_CONNECT' });
});

it('is rejected with a certificate of another authority, and takes up a renewed one without a restart', async () => {
  const mine = authority.issue('renewed');
  const wrong = new Authority(directory, 'expired').issue('old');
  const files = { ...mine, cert: `${directory.path}/current.pem`, key: `${directory.path}/current.key` };
  copyFileSync(wrong.cert, files.cert);
  copyFileSync(wrong.key, files.key);
  await using renewing = client({ tls: files });
  await expect(renewing.echo([], { timeoutMs: 500 })).rejects.toMatchObject({ code: 'OVSDB_CONNECT' });
  copyFileSync(mine.cert, files.cert);
  copyFileSync(mine.key, files.key);
  expect(await renewing.echo(['now'])).toEqual(['now']);
});

it('says what is missing when an ssl: remote has no certificates', async () => {
  await using bare = client({});
  await expect(bare.echo([], { timeoutMs: 300 })).rejects.toThrow('needs the option tls');
});
