import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Surroundings, Trial } from '../../../../scripts/pack/trial.ts';
import { createDatabase } from '../../src/test-server/database-file.ts';
import { OvsdbServer } from '../../src/test-server/ovsdb-server.ts';
import { TemporaryDirectory } from '../support/server.ts';

const README_REMOTE = 'tcp:127.0.0.1:6641';
const VTEP = '/usr/share/openvswitch/vtep.ovsschema';

const directory = new TemporaryDirectory();
/** The schemas of the four databases that the README names, by the name of the module that is generated. */
const schemas = {
  'ovn-nb': '/usr/share/ovn/ovn-nb.ovsschema',
  'ovn-sb': '/usr/share/ovn/ovn-sb.ovsschema',
  vswitch: '/usr/share/openvswitch/vswitch.ovsschema',
  hardware_vtep: existsSync(VTEP) ? VTEP : unpackedVtep(),
};

/** Out of Debian's package, which need not be installed: it would start a daemon. */
function unpackedVtep(): string {
  const cwd = directory.path;
  execFileSync('apt-get', ['download', 'openvswitch-vtep'], { cwd, stdio: 'pipe' });
  const archive = readdirSync(cwd).find((file) => file.endsWith('.deb'))!;
  execFileSync('dpkg-deb', ['-x', archive, '.'], { cwd });
  return join(cwd, VTEP);
}

/** All four databases on one server; each has the name that its schema has. */
async function start(): Promise<Surroundings> {
  const databases = Object.entries(schemas).map(([name, file]) =>
    createDatabase(directory.path, JSON.parse(readFileSync(file, 'utf8')), name),
  );
  const socket = join(directory.path, 'socket');
  const server = await OvsdbServer.start({ databases, remotes: [`punix:${socket}`], directory: directory.path });
  const remote = `unix:${socket}`;
  return {
    env: { OVSDB_REMOTE: remote },
    example: (program) => program.replaceAll(README_REMOTE, remote),
    async [Symbol.asyncDispose]() {
      await server.kill();
      directory[Symbol.dispose]();
    },
  };
}

export const trial: Trial = {
  dependencies: [],
  prepare(folder) {
    for (const [name, schema] of Object.entries(schemas)) {
      execFileSync('node_modules/.bin/ovsdb-codegen', [schema, '--output', `${name}.ts`], { cwd: folder });
    }
  },
  start,
};
