import { OvsdbClient } from 'ovsdb-client-ts';
import { schema } from 'ovsdb-client-ts/ovn-nb';
import type { GuestInterface, VmDescription } from '../../testbed/description.ts';

const TABLE = 'Logical_Switch_Port';
const COLUMNS = ['name', 'options', 'external_ids'] as const;

type Entries = ReadonlyMap<string, string>;
type Row = { readonly name: string; readonly options: Entries; readonly external_ids: Entries };

/**
 * Logical switch ports as Kube-OVN's client library has them: it reads from its own copy of the table, and writes a column
 * as a whole, without a guard. So what somebody else wrote since that copy was made is lost.
 */
export class Ports {
  readonly #client: OvsdbClient;
  readonly #nb;
  readonly #cache;
  /** By VM: copies of its rows in place of those that follow the database. */
  readonly #stale = new Map<string, ReadonlyMap<string, Row>>();

  constructor(northbound: string) {
    this.#client = new OvsdbClient({ remote: northbound, database: 'OVN_Northbound' });
    this.#nb = this.#client.typed(schema);
    this.#cache = this.#nb.cache({ [TABLE]: { columns: COLUMNS } });
  }

  /** Resolves when the copy of the table is there. */
  async ready(): Promise<void> {
    await this.#cache.ready;
  }

  async close(): Promise<void> {
    await this.#cache.close();
    await this.#client.close();
  }

  /** From now on its copy of a VM's ports stays behind the database, or follows it again. */
  setStale(vm: VmDescription, isStale: boolean): void {
    const key = keyOf(vm);
    if (!isStale) this.#stale.delete(key);
    else if (!this.#stale.has(key)) {
      const rows = vm.interfaces.map(({ port }) => [port, this.#cached(port)] as const);
      this.#stale.set(key, new Map(rows.flatMap(([port, row]) => (row ? [[port, row]] : []))));
    }
  }

  /** Writes the columns that an existing port gets when a pod of its VM is allocated: `options` is not among them. */
  async allocate(vm: VmDescription, { port, logicalSwitch, mac, ip }: GuestInterface, groups: string): Promise<void> {
    const own = { pod: keyOf(vm), ls: logicalSwitch, vendor: 'kube-ovn' };
    await this.#update(port, { addresses: [`${mac} ${ip}`], external_ids: { ...own, ...securityGroups(groups) } });
  }

  /** Takes what a live migration needs off `options`; a port that its copy shows unbound is left alone. */
  async cleanMigrateOptions(vm: VmDescription, { port }: GuestInterface): Promise<void> {
    const options = this.#read(vm, port)?.options;
    if (!options?.has('requested-chassis')) return;
    const { 'requested-chassis': _, 'activation-strategy': __, ...others } = Object.fromEntries(options);
    await this.#update(port, { options: others });
  }

  async setSecurityGroups(vm: VmDescription, { port }: GuestInterface, groups: string): Promise<void> {
    const before = Object.entries(Object.fromEntries(this.#read(vm, port)?.external_ids ?? []));
    const others = before.filter(([key]) => key !== 'security_groups' && !key.startsWith('associated_sg_'));
    await this.#update(port, { external_ids: { ...Object.fromEntries(others), ...securityGroups(groups) } });
  }

  async setArpProxy(vm: VmDescription, { port }: GuestInterface, networks: string | undefined): Promise<void> {
    const { arp_proxy: _, ...others } = Object.fromEntries(this.#read(vm, port)?.options ?? []);
    await this.#update(port, { options: { ...others, ...(networks !== undefined && { arp_proxy: networks }) } });
  }

  #read(vm: VmDescription, port: string): Row | undefined {
    const stale = this.#stale.get(keyOf(vm));
    return stale ? stale.get(port) : this.#cached(port);
  }

  #cached(port: string): Row | undefined {
    for (const row of this.#cache.tables[TABLE].values()) if (row.name === port) return row;
    return undefined;
  }

  async #update(port: string, columns: UpdatedColumns): Promise<void> {
    await this.#nb.transact([this.#nb.update(TABLE, [['name', '==', port]], columns)]);
  }
}

interface UpdatedColumns {
  readonly addresses?: readonly string[];
  readonly options?: Readonly<Record<string, string>>;
  readonly external_ids?: Readonly<Record<string, string>>;
}

function keyOf({ namespace, name }: VmDescription): string {
  return `${namespace}/${name}`;
}

function securityGroups(groups: string): Record<string, string> {
  const names = groups.split(',').filter(Boolean);
  if (names.length === 0) return {};
  const associated = names.map((name) => [`associated_sg_${name}`, 'true']);
  return { security_groups: names.join('/'), ...Object.fromEntries(associated) };
}
