import {
  fromWireMap,
  fromWireSet,
  fromWireUuid,
  type OvsdbClient,
  type SelectOperation,
  uuid,
  type WireCondition,
  type WireRow,
} from 'ovsdb-client-ts';
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
  readonly #client: OvsdbClient;
  readonly #uuids = new BoundedMap<string>();
  #others: Others | undefined;

  constructor(client: OvsdbClient) {
    this.#client = client;
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
    const rows = await this.#select([
      ...nodes.flatMap((node) => [
        select('Chassis', ['hostname', '==', node]),
        select('Chassis', ['name', '==', node]),
      ]),
      ...(byUuids
        ? known.map((id) => select('Port_Binding', ['_uuid', '==', uuid(id)]))
        : ports.map((port) => select('Port_Binding', ['logical_port', '==', port]))),
    ]);
    const bindings = rows.Port_Binding.map(bindingOf).filter(({ port }) => ports.includes(port));
    if (byUuids && bindings.length < ports.length) {
      for (const port of ports) this.#uuids.delete(port);
      return this.look(nodes, ports);
    }
    for (const { port, uuid } of bindings) this.#uuids.set(port, uuid);
    return {
      chassis: await this.#chassisByNode(nodes, rows.Chassis, bindings),
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
    const { Port_Binding: rows } = await this.#select([select('Port_Binding', ['type', '!=', ''])]);
    const ofType = (type: string) => rows.filter((row) => row.type === type);
    this.#others = {
      localnets: new Set(ofType('localnet').map(({ datapath }) => fromWireUuid(datapath!))),
      virtualPorts: ofType('virtual').map((row) => ({
        name: String(row.logical_port),
        parents: fromWireMap(row.options!).get('virtual-parents')?.split(',') ?? [],
      })),
      until: Date.now() + OTHERS_LAST_MS,
    };
    return this.#others;
  }

  /** What the ovn-controllers of all chassis know of activation strategies, by chassis name. */
  async strategySupport(): Promise<ReadonlyMap<string, StrategySupport>> {
    const { Chassis } = await this.#select([select('Chassis', ['name', '!=', ''])]);
    return new Map(Chassis.map((row) => [String(row.name), strategySupportOf(row)]));
  }

  async #chassisByNode(
    nodes: readonly string[],
    rows: readonly WireRow[],
    bindings: readonly PortBinding[],
  ): Promise<ReadonlyMap<string, readonly Chassis[]>> {
    const all = new Map(rows.filter(isOurs).map((row) => [String(row.name), row]));
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
    const { Chassis_Private } = await this.#select(
      several.map(({ name }) => select('Chassis_Private', ['name', '==', name])),
    );
    const times = Chassis_Private.map(({ nb_cfg_timestamp }) => Number(nb_cfg_timestamp));
    const [latest, another] = Chassis_Private.filter((_row, index) => times[index] === Math.max(...times));
    if (latest && !another && !times.includes(0)) return several.filter(({ name }) => name === latest.name);
    const claiming = several.filter(({ uuid }) => bindings.some((binding) => isClaimedBy(uuid, binding)));
    return claiming.length === 1 ? claiming : several;
  }

  async #select(operations: readonly SelectOperation[]): Promise<Record<keyof typeof COLUMNS, WireRow[]>> {
    const rows: Record<keyof typeof COLUMNS, WireRow[]> = { Chassis: [], Chassis_Private: [], Port_Binding: [] };
    if (operations.length === 0) return rows;
    try {
      const results = await this.#client.transact(operations, { timeoutMs: TIMEOUT_MS });
      for (const [index, { table }] of operations.entries()) {
        rows[table as keyof typeof COLUMNS].push(...(results[index]?.rows ?? []));
      }
      return rows;
    } catch (error) {
      throw new TryAgainError(`OVN southbound: ${(error as Error).message}`, { cause: error });
    }
  }
}

const COLUMNS = {
  Chassis: ['_uuid', 'hostname', 'name', 'other_config'],
  Chassis_Private: ['name', 'nb_cfg_timestamp'],
  Port_Binding: ['_uuid', 'logical_port', 'type', 'datapath', 'mac', 'options', 'chassis', 'additional_chassis'],
};

function select(table: keyof typeof COLUMNS, ...where: WireCondition[]): SelectOperation {
  return { op: 'select', table, where, columns: COLUMNS[table] };
}

/** OVN-IC lists gateways of other availability zones here too, with their hostnames (ovn-sb(5), is-remote). */
function isOurs(row: WireRow): boolean {
  return fromWireMap(row.other_config!).get('is-remote') !== 'true';
}

function chassisOf(row: WireRow): Chassis {
  return { uuid: fromWireUuid(row._uuid!), name: String(row.name), strategySupport: strategySupportOf(row) };
}

/**
 * No chassis says which version it runs or which strategies it knows. But ovn-controller copies its settings here, those
 * that are unset too, and one for EVPN is as new as the strategies: 26.03.1 writes it; 23.03.1 and 25.03.0 do not, and
 * being a feature it does not come to them in a point release, as the fixes with a flag of their own may.
 */
function strategySupportOf(row: WireRow): StrategySupport {
  return fromWireMap(row.other_config!).has('ovn-evpn-vxlan-ports') ? 'all' : 'rarp-only';
}

function bindingOf(row: WireRow): PortBinding {
  const options = fromWireMap(row.options!);
  const activated = options.get('additional-chassis-activated') ?? '';
  return {
    uuid: fromWireUuid(row._uuid!),
    port: String(row.logical_port),
    datapath: fromWireUuid(row.datapath!),
    addresses: fromWireSet(row.mac!),
    activated: activated.split(',').filter(Boolean),
    since: options.get(SINCE_KEY),
    chassis: fromWireSet(row.chassis!)[0],
    additionalChassis: fromWireSet(row.additional_chassis!),
  };
}
