import { readFileSync } from 'node:fs';
import { schema } from '../../src/generated/ovn-nb.ts';
import { OvsdbClient } from '../../src/index.ts';
import { Inventory } from './inventory.ts';

const PORTS_PER_SWITCH = 1000;

/** A real server with OVN's northbound schema. */
export class Northbound implements AsyncDisposable {
  readonly #server: Inventory;

  private constructor(server: Inventory) {
    this.#server = server;
  }

  static async start(): Promise<Northbound> {
    const northbound = JSON.parse(readFileSync('/usr/share/ovn/ovn-nb.ovsschema', 'utf8'));
    return new Northbound(await Inventory.start(northbound));
  }

  get remote(): string {
    return this.#server.remote;
  }

  async addPorts(count: number): Promise<void> {
    await addPorts(this.remote, 0, count);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
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
