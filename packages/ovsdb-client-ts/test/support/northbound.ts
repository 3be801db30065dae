import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { schema } from '../../src/generated/ovn-nb.ts';
import { OvsdbClient } from '../../src/index.ts';
import { createDatabase, OvsdbServer, TemporaryDirectory } from './server.ts';

const PORTS_PER_SWITCH = 1000;

/** A real server with OVN's northbound schema. */
export class Northbound implements AsyncDisposable {
  readonly directory: TemporaryDirectory;
  readonly server: OvsdbServer;
  readonly remote: string;

  private constructor(directory: TemporaryDirectory, server: OvsdbServer, remote: string) {
    this.directory = directory;
    this.server = server;
    this.remote = remote;
  }

  static async start(): Promise<Northbound> {
    const directory = new TemporaryDirectory();
    const database = createDatabase(directory, JSON.parse(readFileSync('/usr/share/ovn/ovn-nb.ovsschema', 'utf8')));
    const socket = join(directory.path, 'socket');
    const server = await OvsdbServer.start({
      databases: [database],
      remotes: [`punix:${socket}`],
      directory: directory.path,
    });
    return new Northbound(directory, server, `unix:${socket}`);
  }

  async addPorts(count: number): Promise<void> {
    await addPorts(this.remote, 0, count);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.kill();
    this.directory[Symbol.dispose]();
  }
}

/** Ports as a cloud of virtual machines has them, from number `first` up to `end`. */
export async function addPorts(remote: string, first: number, end: number): Promise<void> {
  await using client = new OvsdbClient({ remote, database: 'OVN_Northbound' });
  const nb = client.typed(schema);
  for (let start = first; start < end; start += PORTS_PER_SWITCH) {
    const ports = Array.from({ length: Math.min(PORTS_PER_SWITCH, end - start) }, (_, i) => {
      const n = start + i;
      const mac = `0a:00:00:${[n >> 16, n >> 8, n].map((byte) => (byte & 255).toString(16).padStart(2, '0')).join(':')}`;
      return nb.insert('Logical_Switch_Port', {
        name: `vm-${n}.default`,
        addresses: [`${mac} 10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`],
        port_security: [`${mac} 10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`],
        options: { 'requested-chassis': `node-${n % 500}` },
        external_ids: { pod: `default/vm-${n}`, vendor: 'kube-ovn', ls: `subnet-${start}` },
        up: true,
      });
    });
    const ls = nb.insert('Logical_Switch', { name: `subnet-${start}`, ports: ports.map(({ ref }) => ref) });
    await nb.transact([...ports, ls], { timeoutMs: 60_000 });
  }
}
