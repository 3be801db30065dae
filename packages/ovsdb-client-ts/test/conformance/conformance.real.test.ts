import { join } from 'node:path';
import { freePort } from '../../../../lab/free-port.ts';
import { type Operation, type OperationResult, OvsdbClient, type TlsFiles, TransactionError } from '../../src/index.ts';
import { createDatabase } from '../../src/test-server/database-file.ts';
import { OvsdbServer } from '../../src/test-server/ovsdb-server.ts';
import { Authority } from '../support/certificates.ts';
import { TemporaryDirectory } from '../support/server.ts';
import { constraintCases } from './cases/constraints.ts';
import { integrityCases } from './cases/integrity.ts';
import { operationCases } from './cases/operations.ts';
import { waitCases } from './cases/waits.ts';

const cases = [...operationCases, ...waitCases, ...constraintCases, ...integrityCases];
const transports = ['unix', 'tcp', 'ssl'] as const;
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

let directory: TemporaryDirectory;
let server: OvsdbServer;
let remotes: Record<(typeof transports)[number], string>;
let tls: TlsFiles;

/** Every case has a database of its own on every transport. */
const databaseOf = (transport: string, number: number): string => `${transport}_${number}`;

beforeAll(async () => {
  directory = new TemporaryDirectory();
  const authority = new Authority(directory);
  tls = authority.issue('client');
  const { cert, key, ca } = authority.issue('server');
  const [tcpPort, sslPort] = [await freePort(), await freePort()];
  const socket = join(directory.path, 'socket');
  remotes = { unix: `unix:${socket}`, tcp: `tcp:127.0.0.1:${tcpPort}`, ssl: `ssl:127.0.0.1:${sslPort}` };
  const databases = transports.flatMap((transport) =>
    cases.map(({ tables }, number) => {
      const name = databaseOf(transport, number);
      return createDatabase(directory.path, { name, version: '1.0.0', tables }, name);
    }),
  );
  server = await OvsdbServer.start({
    databases,
    remotes: [`punix:${socket}`, `ptcp:${tcpPort}:127.0.0.1`, `pssl:${sslPort}:127.0.0.1`],
    directory: directory.path,
    args: [`--certificate=${cert}`, `--private-key=${key}`, `--ca-cert=${ca}`],
  });
}, 300_000);
afterAll(async () => {
  await server.kill();
  directory[Symbol.dispose]();
});

describe.each(transports)('over %s', (transport) => {
  it.each(cases.map((data, number) => ({ ...data, number })))('$name', async ({ steps, number }) => {
    await using client = new OvsdbClient({ remote: remotes[transport], database: databaseOf(transport, number), tls });
    const uuids: string[] = [];
    for (const step of steps) {
      const outcome = await run(client, withUuids(step.do, uuids));
      if ('fails' in step) expect(outcome).toEqual({ fails: step.fails });
      else expect(withPlaceholders(outcome, uuids)).toEqual({ gives: step.gives.map(sortRows) });
    }
  });
});

type RunResult = { gives: OperationResult[] } | { fails: { index: number; tag: string } };

async function run(client: OvsdbClient, operations: Operation[]): Promise<RunResult> {
  try {
    return { gives: (await client.transact(operations)).map(sortRows) };
  } catch (error) {
    if (!(error instanceof TransactionError)) throw error;
    return { fails: { index: error.index, tag: error.tag } };
  }
}

/** The order of the rows of a select means nothing, so both sides are put into one. */
function sortRows(result: OperationResult): OperationResult {
  if (result.rows === undefined) return result;
  return { rows: result.rows.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) };
}

function withUuids(operations: Operation[], uuids: readonly string[]): Operation[] {
  return mapStrings(operations, (text) =>
    text.replace(/^<(\d+)>$/, (_match, index) => uuids[Number(index)] ?? text),
  ) as Operation[];
}

function withPlaceholders(outcome: RunResult, uuids: string[]): unknown {
  return mapStrings(outcome, (text) =>
    text.replace(UUID, (id) => {
      if (!uuids.includes(id)) uuids.push(id);
      return `<${uuids.indexOf(id)}>`;
    }),
  );
}

function mapStrings(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === 'string') return map(value);
  if (Array.isArray(value)) return value.map((item) => mapStrings(item, map));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapStrings(item, map)]));
}
