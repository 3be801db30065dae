import type {
  AnyOperation,
  Condition,
  OvsdbClient,
  ResultsOf,
  TypedDatabase,
  TypedOperation,
  Uuid,
} from 'ovsdb-client-ts';
import {
  type Chassis as ChassisTable,
  type OVNSouthbound,
  type PortBinding as PortBindingTable,
  schema,
} from 'ovsdb-client-ts/ovn-sb';
import type { StrategySupport } from '../decision/activation.ts';
import { TryAgainError } from '../decision/errors.ts';
import { SINCE_KEY } from '../decision/record.ts';
import {
  type Chassis,
  isClaimedBy,
  type PortBinding,
  type SideEffects,
  type SouthboundFacts,
} from '../decision/southbound.ts';
import { BoundedMap } from './bounded-map.ts';

const CHASSIS_COLUMNS = ['_uuid', 'hostname', 'name', 'other_config'] as const;
const BINDING_COLUMNS = [
  '_uuid',
  'logical_port',
  'type',
  'datapath',
  'mac',
  'options',
  'chassis',
  'additional_chassis',
] as const;
type ChassisRow = Pick<ChassisTable, (typeof CHASSIS_COLUMNS)[number]>;
type BindingRow = Pick<PortBindingTable, (typeof BINDING_COLUMNS)[number]>;

const TIMEOUT_MS = 5_000;
/** One scan of the whole table serves all migrations of a minute: what it is for changes with the network, not with VMs. */
const OTHERS_LAST_MS = 60_000;

/** Ports that are no VM's own, as far as a dual binding has effects on them, or they on it. */
interface Others {
  /** Datapaths with a localnet port. */
  readonly localnets: ReadonlySet<string>;
  readonly virtualPorts: readonly { readonly name: string; readonly parents: readonly string[] }[];
  readonly until: number;
}

/** Reads of OVN_Southbound; the functions never write there. Nothing is kept but row uuids, which are verified at each use. */
export class Southbound {
  readonly #database: TypedDatabase<OVNSouthbound>;
  readonly #uuids = new BoundedMap<string>();
  #others: Others | undefined;

  constructor(client: OvsdbClient) {
    this.#database = client.typed(schema);
  }

  /**
   * Chassis of Kubernetes nodes, matched by hostname or name, and Port_Binding rows by the names of their ports, in one
   * round trip where the rows of the ports are known.
   * @param hint uuids of the rows, if known; a search by name makes the server scan the table
   */
  async look(
    nodes: readonly string[],
    ports: readonly string[],
    hint: readonly string[] = [],
  ): Promise<SouthboundFacts> {
    const remembered = ports.flatMap((port) => this.#uuids.get(port) ?? []);
    const known = remembered.length === ports.length ? remembered : hint;
    const byUuids = known.length === ports.length;
    const chassis = nodes.flatMap((node) => [
      this.#selectChassis(['hostname', '==', node]),
      this.#selectChassis(['name', '==', node]),
    ]);
    const results = await this.#transact([
      ...chassis,
      ...(byUuids
        ? known.map((id) => this.#selectBindings(['_uuid', '==', id as Uuid<'Port_Binding'>]))
        : ports.map((port) => this.#selectBindings(['logical_port', '==', port]))),
    ]);
    const chassisRows = results.slice(0, chassis.length).flat() as ChassisRow[];
    const bindingRows = results.slice(chassis.length).flat() as BindingRow[];
    const bindings = bindingRows.map(bindingOf).filter(({ port }) => ports.includes(port));
    if (byUuids && bindings.length < ports.length) {
      for (const port of ports) this.#uuids.delete(port);
      return this.look(nodes, ports);
    }
    for (const { port, uuid } of bindings) this.#uuids.set(port, uuid);
    return {
      chassis: await this.#chassisByNode(nodes, chassisRows, bindings),
      bindings: new Map(bindings.map((binding) => [binding.port, binding])),
    };
  }

  /** What a dual binding does to others. It is asked for when the ports are dual already: no migration waits for it. */
  async sideEffects(ports: readonly string[]): Promise<readonly SideEffects[]> {
    const { bindings } = await this.look([], ports);
    const { localnets, virtualPorts } = await this.#othersNow();
    return [...bindings.values()].map(({ port, datapath }) => ({
      port,
      isOnLocalnet: localnets.has(datapath),
      virtualPorts: virtualPorts.filter(({ parents }) => parents.includes(port)).map(({ name }) => name),
    }));
  }

  async #othersNow(): Promise<Others> {
    if (this.#others && this.#others.until > Date.now()) return this.#others;
    const [rows] = await this.#transact([this.#selectBindings(['type', '!=', ''])]);
    const ofType = (type: string) => rows.filter((row) => row.type === type);
    this.#others = {
      localnets: new Set(ofType('localnet').map(({ datapath }) => datapath)),
      virtualPorts: ofType('virtual').map((row) => ({
        name: row.logical_port,
        parents: row.options.get('virtual-parents')?.split(',') ?? [],
      })),
      until: Date.now() + OTHERS_LAST_MS,
    };
    return this.#others;
  }

  /** What the ovn-controllers of all chassis know of activation strategies, by chassis name. */
  async strategySupport(): Promise<ReadonlyMap<string, StrategySupport>> {
    const [rows] = await this.#transact([this.#selectChassis(['name', '!=', ''])]);
    return new Map(rows.map((row) => [row.name, strategySupportOf(row)]));
  }

  async #chassisByNode(
    nodes: readonly string[],
    rows: readonly ChassisRow[],
    bindings: readonly PortBinding[],
  ): Promise<ReadonlyMap<string, readonly Chassis[]>> {
    const all = new Map(rows.filter(isOurs).map((row) => [row.name, row]));
    const byNode = new Map<string, readonly Chassis[]>(
      nodes.map((node) => [
        node,
        [...all.values()].filter((row) => row.hostname === node || row.name === node).map(chassisOf),
      ]),
    );
    const ambiguous = nodes.filter((node) => byNode.get(node)!.length > 1);
    for (const node of ambiguous) byNode.set(node, await this.#living(byNode.get(node)!, bindings));
    return byNode;
  }

  /**
   * Of several chassis of one node, the one that is alive: a chassis that came back under another name may leave its old
   * row. The one that lives was the last to follow the northbound configuration's number (ovn-sb(5), Chassis_Private,
   * nb_cfg_timestamp). Where that number was never raised, it is the one that has claimed one of the VM's ports; that alone
   * proves little, for the claim of a dead one stands as long as its port is pinned to it.
   */
  async #living(several: readonly Chassis[], bindings: readonly PortBinding[]): Promise<readonly Chassis[]> {
    const selects = several.map(({ name }) =>
      this.#database.select('Chassis_Private', [['name', '==', name]], ['name', 'nb_cfg_timestamp']),
    );
    const rows = (await this.#transact(selects)).flat();
    const times = rows.map(({ nb_cfg_timestamp }) => Number(nb_cfg_timestamp));
    const [latest, another] = rows.filter((_row, index) => times[index] === Math.max(...times));
    if (latest && !another && !times.includes(0)) return several.filter(({ name }) => name === latest.name);
    const claiming = several.filter(({ uuid }) => bindings.some((binding) => isClaimedBy(uuid, binding)));
    return claiming.length === 1 ? claiming : several;
  }

  #selectChassis(where: Condition<ChassisTable>): TypedOperation<ChassisRow[]> {
    return this.#database.select('Chassis', [where], CHASSIS_COLUMNS);
  }

  #selectBindings(where: Condition<PortBindingTable>): TypedOperation<BindingRow[]> {
    return this.#database.select('Port_Binding', [where], BINDING_COLUMNS);
  }

  async #transact<const O extends readonly AnyOperation[]>(operations: O): Promise<ResultsOf<O>> {
    if (operations.length === 0) return [] as unknown as ResultsOf<O>;
    try {
      return await this.#database.transact(operations, { timeoutMs: TIMEOUT_MS });
    } catch (error) {
      throw new TryAgainError(`OVN southbound: ${(error as Error).message}`, { cause: error });
    }
  }
}

/** OVN-IC lists gateways of other availability zones here too, with their hostnames (ovn-sb(5), is-remote). */
function isOurs(row: ChassisRow): boolean {
  return row.other_config.get('is-remote') !== 'true';
}

function chassisOf(row: ChassisRow): Chassis {
  return { uuid: row._uuid, name: row.name, strategySupport: strategySupportOf(row) };
}

/**
 * No chassis says which version it runs or which strategies it knows. But ovn-controller copies its settings here, those
 * that are unset too, and one for EVPN is as new as the strategies: 26.03.1 writes it; 23.03.1 and 25.03.0 do not, and
 * being a feature it does not come to them in a point release, as the fixes with a flag of their own may.
 */
function strategySupportOf(row: ChassisRow): StrategySupport {
  return row.other_config.has('ovn-evpn-vxlan-ports') ? 'all' : 'rarp-only';
}

function bindingOf(row: BindingRow): PortBinding {
  const activated = row.options.get('additional-chassis-activated') ?? '';
  return {
    uuid: row._uuid,
    port: row.logical_port,
    datapath: row.datapath,
    addresses: row.mac,
    activated: activated.split(',').filter(Boolean),
    since: row.options.get(SINCE_KEY),
    chassis: row.chassis,
    additionalChassis: row.additional_chassis,
  };
}
