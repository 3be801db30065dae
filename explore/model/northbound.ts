import {
  fromWireMap,
  type Operation,
  type OperationResult,
  TransactionError,
  toWireMap,
  type WireCondition,
  type WireRow,
  type WireValue,
} from 'ovsdb-client-ts';
import { uuidOf } from './uuids.ts';

export interface PortColumns {
  readonly options: Readonly<Record<string, string>>;
  readonly externalIds: Readonly<Record<string, string>>;
}

/** A row of Logical_Switch_Port, with all that it ever was: a client's cache may lag behind. */
export class Port {
  readonly uuid: string;
  readonly name: string;
  readonly #versions: (PortColumns & { readonly since: number })[] = [];

  constructor(name: string, columns: PortColumns) {
    this.uuid = uuidOf('port', name);
    this.name = name;
    this.#versions.push({ ...columns, since: Date.now() });
  }

  get options(): PortColumns['options'] {
    return this.#versions.at(-1)!.options;
  }

  get externalIds(): PortColumns['externalIds'] {
    return this.#versions.at(-1)!.externalIds;
  }

  get version(): number {
    return this.#versions.length;
  }

  asOf(time: number): PortColumns {
    return this.#versions.findLast(({ since }) => since <= time) ?? this.#versions[0]!;
  }

  /** What it was at a time, and all that it has been since then. */
  since(time: number): readonly PortColumns[] {
    return [this.asOf(time), ...this.#versions.filter(({ since }) => since > time)];
  }

  write(columns: Partial<PortColumns>): void {
    this.#versions.push({ ...this.#versions.at(-1)!, ...columns, since: Date.now() });
  }

  /** The last write has not been, for its transaction failed. */
  undo(): void {
    this.#versions.pop();
  }
}

/** A row before and after a transaction. */
export interface RowChange {
  readonly port: Port;
  readonly before: PortColumns;
}

/** OVN_Northbound, as far as a hand-over goes, executing operations as ovsdb-server does (RFC 7047, section 5.2). */
export class Northbound {
  readonly ports: Port[] = [];

  addPort(name: string, externalIds: Readonly<Record<string, string>>): Port {
    const port = new Port(name, { options: { mcast_flood: 'true' }, externalIds });
    this.ports.push(port);
    return port;
  }

  /** @throws TransactionError when a guard fails: then nothing of it is done */
  transact(operations: readonly Operation[]): { readonly results: OperationResult[]; readonly changes: RowChange[] } {
    const before = new Map<Port, PortColumns>();
    const results = operations.map((operation, index): OperationResult => {
      switch (operation.op) {
        case 'comment':
          return {};
        case 'select':
          return { rows: this.#where(operation.where).map(rowOf) };
        case 'wait': {
          const rows = this.#where(operation.where).map(rowOf);
          const holds =
            rows.length === operation.rows.length &&
            operation.rows.every((expected) =>
              rows.some((row) => operation.columns!.every((column) => isEqual(row[column], expected[column]))),
            );
          if (holds === (operation.until === '==')) return {};
          for (const port of before.keys()) port.undo();
          throw new TransactionError(index, operation, { tag: 'timed out', details: '"where" clause test failed' });
        }
        case 'mutate': {
          const ports = this.#where(operation.where);
          for (const port of ports) {
            const { options, externalIds } = port;
            if (before.has(port)) throw new Error('The model takes one mutation of a row in a transaction.');
            before.set(port, { options, externalIds });
            port.write(operation.mutations.reduce<PortColumns>(mutated, { options, externalIds }));
          }
          return { count: ports.length };
        }
        default:
          throw new Error(`A hand-over has no business with "${operation.op}" in OVN_Northbound.`);
      }
    });
    return { results, changes: [...before].map(([port, columns]) => ({ port, before: columns })) };
  }

  #where(conditions: readonly WireCondition[]): Port[] {
    return this.ports.filter((port) => conditions.every((condition) => matches(port, condition)));
  }
}

function matches(port: Port, [column, operator, value]: WireCondition): boolean {
  if (column === '_uuid') return port.uuid === (value as readonly string[])[1];
  if (column === 'name') return port.name === value;
  if (operator !== 'includes') throw new Error(`The model knows no condition "${operator}" on ${column}.`);
  const map = column === 'options' ? port.options : port.externalIds;
  return [...fromWireMap(value)].every(([key, text]) => map[key] === text);
}

/** Of every port. */
export const ADDRESSES = '0a:00:00:00:00:01 10.0.0.10';

function rowOf({ uuid, name, options, externalIds }: Port): WireRow {
  return {
    _uuid: ['uuid', uuid],
    name,
    type: '',
    parent_name: ['set', []],
    addresses: ADDRESSES,
    dynamic_addresses: ['set', []],
    options: toWireMap(options),
    external_ids: toWireMap(externalIds),
  };
}

function mutated(columns: PortColumns, [column, mutator, value]: readonly [string, string, WireValue]): PortColumns {
  const field = column === 'options' ? 'options' : 'externalIds';
  const map = { ...columns[field] };
  if (mutator === 'delete') for (const key of keysOf(value)) delete map[key];
  // An insert never overwrites (RFC 7047, 5.1 <mutator>).
  else for (const [key, text] of fromWireMap(value)) map[key] ??= text;
  return { ...columns, [field]: map };
}

/** A delete names keys, one without a set, or pairs that must match; the last is not modelled. */
function keysOf(value: WireValue): readonly string[] {
  if (typeof value === 'string') return [value];
  const [kind, members] = value as ['set', string[]];
  if (kind !== 'set') throw new Error('The model deletes by key.');
  return members;
}

function isEqual(value: WireValue | undefined, expected: WireValue | undefined): boolean {
  if (value === undefined || expected === undefined) return false;
  if (!Array.isArray(expected) || expected[0] !== 'map') return JSON.stringify(value) === JSON.stringify(expected);
  const [map, other] = [fromWireMap(value), fromWireMap(expected)];
  return map.size === other.size && [...map].every(([key, text]) => other.get(key) === text);
}
