import type { Operation, OperationResult, WireCondition, WireRow, WireValue } from 'ovsdb-client-ts';
import { fromWireMap, TransactionError, toWireMap } from 'ovsdb-client-ts';

export interface LogicalSwitchPort {
  readonly uuid: string;
  readonly name: string;
  options: Readonly<Record<string, string>>;
  externalIds: Readonly<Record<string, string>>;
}

interface PortBinding {
  readonly uuid: string;
  readonly port: string;
  addresses: readonly string[];
  requested: readonly string[];
  armed: boolean;
  activated: readonly string[];
  /** ms since the epoch */
  activatedAt: number;
  main: string | undefined;
  additional: readonly string[];
}

export interface Chassis {
  readonly uuid: string;
  readonly name: string;
  readonly hostname: string;
  /** What its ovn-controller says of itself. */
  otherConfig?: Readonly<Record<string, string>>;
}

/** A row before and after a transaction. */
export interface RowChange {
  readonly port: LogicalSwitchPort;
  readonly before: Pick<LogicalSwitchPort, 'options' | 'externalIds'>;
}

/** Both databases of OVN, executing RFC 7047 as ovsdb-server does, and what northd and ovn-controller make of them. */
export class Ovn {
  readonly ports: LogicalSwitchPort[] = [];
  readonly bindings = new Map<string, PortBinding>();
  chassis: Chassis[] = [];
  /** Nodes where a port has a tap, by port. */
  readonly plugged = new Map<string, Set<string>>();

  addPort(name: string, externalIds: Record<string, string>): LogicalSwitchPort {
    const port = { uuid: uuidOf(1, name), name, options: { mcast_flood: 'true' }, externalIds };
    const binding = {
      uuid: uuidOf(2, name),
      port: name,
      addresses: [ADDRESSES],
      requested: [],
      armed: false,
      activated: [],
      activatedAt: 0,
    };
    this.ports.push(port);
    this.bindings.set(name, { ...binding, main: undefined, additional: [] });
    this.plugged.set(name, new Set());
    return port;
  }

  addChassis(node: string): void {
    this.chassis.push({ uuid: uuidOf(3, node), name: chassisName(node), hostname: node });
  }

  isKnown(chassis: string): boolean {
    return this.chassis.some(({ name }) => name === chassis);
  }

  /** One pass of ovn-northd, and of the ovn-controllers after it. */
  pass(): void {
    for (const port of this.ports) {
      const binding = this.bindings.get(port.name)!;
      binding.requested = (port.options['requested-chassis'] ?? '').split(',').filter((name) => this.isKnown(name));
      binding.armed = port.options['activation-strategy'] === 'rarp';
      const [main, ...additional] = binding.requested;
      // It keeps the flag as long as there is an additional chassis, whichever that is.
      if (additional.length === 0) binding.activated = [];
      const taps = this.plugged.get(port.name)!;
      const holders = this.chassis.filter(({ hostname }) => taps.has(hostname)).map(({ name }) => name);
      binding.main = main === undefined ? holders[0] : holders.find((name) => name === main);
      binding.additional = additional.filter((name) => holders.includes(name));
    }
  }

  /** A RARP of the guest leaves from a node: it opens the port there if it is held closed. */
  rarp(port: string, node: string): void {
    const binding = this.bindings.get(port)!;
    const name = chassisName(node);
    if (!binding.armed || !binding.additional.includes(name) || binding.activated.includes(name)) return;
    binding.activated = [...binding.activated, name];
    binding.activatedAt = Date.now();
  }

  /** @throws TransactionError when a guard fails: then nothing of it is done */
  transact(operations: readonly Operation[]): { results: OperationResult[]; changes: RowChange[] } {
    const changes = new Map<LogicalSwitchPort, RowChange['before']>();
    const results = operations.map((operation, index): OperationResult => {
      switch (operation.op) {
        case 'comment':
          return {};
        case 'select':
          return { rows: this.#select(operation.table, operation.where[0]!) };
        case 'wait': {
          const [row] = this.#portsWhere(operation.where[0]!);
          const [expected] = operation.rows;
          const holds =
            row && sameMap(row.options, expected!.options!) && sameMap(row.externalIds, expected!.external_ids!);
          if (holds) return {};
          for (const [port, before] of changes) Object.assign(port, before);
          throw new TransactionError(index, operation, { tag: 'timed out', details: '"where" clause test failed' });
        }
        case 'mutate': {
          const rows = this.#portsWhere(operation.where[0]!);
          for (const row of rows) {
            if (!changes.has(row)) changes.set(row, { options: row.options, externalIds: row.externalIds });
            for (const mutation of operation.mutations) mutate(row, mutation);
          }
          return { count: rows.length };
        }
        default:
          throw new Error(`A hand-over has no business with "${operation.op}" in OVN.`);
      }
    });
    return { results, changes: [...changes].map(([port, before]) => ({ port, before })) };
  }

  #select(table: string, condition: WireCondition): WireRow[] {
    if (table === 'Logical_Switch_Port') return this.#portsWhere(condition).map(portRow);
    const [column, , value] = condition;
    const wanted = column === '_uuid' ? (value as readonly string[])[1] : value;
    if (table === 'Chassis') {
      const field = column === '_uuid' ? 'uuid' : (column as 'name' | 'hostname');
      return this.chassis
        .filter((chassis) => chassis[field] === wanted)
        .map(({ uuid, name, hostname, otherConfig = {} }) => ({
          _uuid: ['uuid', uuid],
          name,
          hostname,
          other_config: toWireMap(otherConfig),
        }));
    }
    const field = column === '_uuid' ? 'uuid' : 'port';
    return [...this.bindings.values()]
      .filter((binding) => binding[field] === wanted)
      .map((row) => this.#bindingRow(row));
  }

  #portsWhere([column, , value]: WireCondition): LogicalSwitchPort[] {
    if (column === '_uuid') return this.ports.filter(({ uuid }) => uuid === (value as readonly string[])[1]);
    if (column === 'name') return this.ports.filter(({ name }) => name === value);
    const wanted = [...fromWireMap(value)];
    return this.ports.filter(({ externalIds }) => wanted.every(([key, text]) => externalIds[key] === text));
  }

  #bindingRow({ uuid, port, addresses, activated, main, additional }: PortBinding): WireRow {
    const refs = (names: readonly string[]): WireValue => [
      'set',
      this.chassis.filter(({ name }) => names.includes(name)).map((chassis) => ['uuid', chassis.uuid]),
    ];
    return {
      _uuid: ['uuid', uuid],
      logical_port: port,
      mac: ['set', [...addresses]],
      options: toWireMap(activated.length > 0 ? { 'additional-chassis-activated': activated.join(',') } : {}),
      chassis: refs(main === undefined ? [] : [main]),
      additional_chassis: refs(additional),
    };
  }
}

/** Of every port. */
const ADDRESSES = '0a:00:00:00:00:01 10.0.0.10';

export function chassisName(node: string): string {
  return `chassis-${node}`;
}

function portRow({ uuid, name, options, externalIds }: LogicalSwitchPort): WireRow {
  return {
    _uuid: ['uuid', uuid],
    name,
    addresses: ADDRESSES,
    dynamic_addresses: ['set', []],
    options: toWireMap(options),
    external_ids: toWireMap(externalIds),
  };
}

function mutate(row: LogicalSwitchPort, [column, mutator, value]: readonly [string, string, WireValue]): void {
  const field = column === 'options' ? 'options' : 'externalIds';
  const map = { ...row[field] };
  if (mutator === 'delete') for (const key of (value as ['set', string[]])[1]) delete map[key];
  // An insert never overwrites (RFC 7047, 5.1 <mutator>).
  else for (const [key, text] of fromWireMap(value)) map[key] ??= text;
  row[field] = map;
}

function sameMap(map: Readonly<Record<string, string>>, wire: WireValue): boolean {
  const expected = fromWireMap(wire);
  return Object.keys(map).length === expected.size && [...expected].every(([key, text]) => map[key] === text);
}

const uuids = new Map<string, string>();

/** The same uuid for the same name. */
function uuidOf(table: number, name: string): string {
  const key = `${table} ${name}`;
  const id = uuids.get(key) ?? `${table}0000000-0000-4000-8000-${String(uuids.size).padStart(12, '0')}`;
  uuids.set(key, id);
  return id;
}
