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
import { Memory } from './bounded-map.ts';

const TIMEOUT_MS = 5_000;

/** A Port_Binding row, as far as a hand-over depends on it. */
export interface PortBinding {
  readonly uuid: string;
  readonly port: string;
  /** Its `mac` column: addresses as the northbound database has them, `dynamic` unresolved. */
  readonly addresses: readonly string[];
  /** Names of additional chassis that a RARP has opened and that northd has not yet forgotten. */
  readonly activated: readonly string[];
  /** uuids of the chassis that have claimed it */
  readonly claimants: readonly string[];
}

/** A Chassis row, as far as a hand-over depends on it. */
export interface Chassis {
  readonly name: string;
  readonly strategySupport: StrategySupport;
}

/** Reads of OVN_Southbound; the functions never write there. Nothing is kept but row uuids, which are verified at each use. */
export class Southbound {
  readonly #client: OvsdbClient;
  readonly #uuids = new Memory<string>();

  constructor(client: OvsdbClient) {
    this.#client = client;
  }

  /**
   * Chassis of Kubernetes nodes, matched by hostname or name.
   * @throws TryAgainError if a node has no chassis, or several: OVN skips names that it does not know and would make
   * the target main and open, so none such may ever be written
   */
  async chassisOf(nodes: readonly string[]): Promise<ReadonlyMap<string, Chassis>> {
    const rows = await this.#select(
      nodes.flatMap((node) => [select('Chassis', ['hostname', '==', node]), select('Chassis', ['name', '==', node])]),
    );
    return new Map(nodes.map((node) => [node, chassisIn(only(node, rows.filter(isOn(node))))]));
  }

  /** What the ovn-controllers of all chassis know of activation strategies, by chassis name. */
  async strategySupport(): Promise<ReadonlyMap<string, StrategySupport>> {
    const rows = await this.#select([select('Chassis', ['name', '!=', ''])]);
    return new Map(rows.map((row) => [String(row.name), strategySupportOf(row)]));
  }

  /**
   * Port_Binding rows by the names of their ports.
   * @param hint their uuids, if known; a search by name makes the server scan the table
   */
  async bindingsOf(ports: readonly string[], hint: readonly string[] = []): Promise<readonly PortBinding[]> {
    const remembered = ports.flatMap((port) => this.#uuids.recall(port) ?? []);
    const known = await this.#bindings((remembered.length === ports.length ? remembered : hint).map(byUuid), ports);
    if (known.length === ports.length) return known;
    const found = await this.#bindings(
      ports.map((port) => ['logical_port', '==', port]),
      ports,
    );
    for (const { port, uuid } of found) this.#uuids.remember(port, uuid);
    return found;
  }

  /** Names of the chassis that have claimed a port, main or additional, by port. */
  async claimsOf(
    ports: readonly string[],
    hint: readonly string[] = [],
  ): Promise<ReadonlyMap<string, readonly string[]>> {
    const bindings = await this.bindingsOf(ports, hint);
    const claimants = new Set(bindings.flatMap(({ claimants }) => claimants));
    const rows = await this.#select([...claimants].map((id) => select('Chassis', byUuid(id))));
    const names = new Map(rows.map((row) => [fromWireUuid(row._uuid!), String(row.name)]));
    return new Map(bindings.map(({ port, claimants }) => [port, claimants.flatMap((id) => names.get(id) ?? [])]));
  }

  async #bindings(conditions: readonly WireCondition[], ports: readonly string[]): Promise<readonly PortBinding[]> {
    const rows = await this.#select(conditions.map((condition) => select('Port_Binding', condition)));
    return rows.map(bindingOf).filter(({ port }) => ports.includes(port));
  }

  async #select(operations: readonly SelectOperation[]): Promise<readonly WireRow[]> {
    if (operations.length === 0) return [];
    try {
      const results = await this.#client.transact(operations, { timeoutMs: TIMEOUT_MS });
      return results.flatMap((result) => result.rows ?? []);
    } catch (error) {
      throw new TryAgainError(`OVN southbound: ${(error as Error).message}`, { cause: error });
    }
  }
}

const COLUMNS = {
  Chassis: ['_uuid', 'hostname', 'name', 'other_config'],
  Port_Binding: ['_uuid', 'logical_port', 'mac', 'options', 'chassis', 'additional_chassis'],
};

function select(table: keyof typeof COLUMNS, condition: WireCondition): SelectOperation {
  return { op: 'select', table, where: [condition], columns: COLUMNS[table] };
}

function byUuid(id: string): WireCondition {
  return ['_uuid', '==', uuid(id)];
}

function isOn(node: string): (row: WireRow) => boolean {
  return (row) => row.hostname === node || row.name === node;
}

function only(node: string, rows: readonly WireRow[]): WireRow {
  const names = new Set(rows.map((row) => String(row.name)));
  const [row] = rows;
  if (names.size === 1 && row !== undefined) return row;
  const what = names.size === 0 ? 'no chassis' : `${names.size} chassis (${[...names].sort().join(', ')})`;
  throw new TryAgainError(
    `OVN southbound lists ${what} with hostname or name ${node}, expected one: is its ovn-controller running, and no stale chassis left?`,
    { retryAfterSeconds: 5, warning: names.size === 0 ? 'ChassisUnknown' : 'ChassisAmbiguous' },
  );
}

function chassisIn(row: WireRow): Chassis {
  return { name: String(row.name), strategySupport: strategySupportOf(row) };
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
  const activated = fromWireMap(row.options!).get('additional-chassis-activated') ?? '';
  return {
    uuid: fromWireUuid(row._uuid!),
    port: String(row.logical_port),
    addresses: fromWireSet(row.mac!),
    activated: activated.split(',').filter(Boolean),
    claimants: [...fromWireSet(row.chassis!), ...fromWireSet(row.additional_chassis!)],
  };
}
