import { isDeepStrictEqual as isEqual } from 'node:util';
import {
  type Operation,
  type OperationResult,
  toWireMap,
  type WireCondition,
  type WireRow,
  type WireValue,
} from 'ovsdb-client-ts';
import { ADDRESSES, type Port, type PortColumns } from './northbound.ts';
import { uuidOf } from './uuids.ts';
import type { Vm } from './vm.ts';

export interface Chassis {
  readonly name: string;
  readonly hostname: string;
  /** What its ovn-controller says of itself. */
  readonly otherConfig: Readonly<Record<string, string>>;
  /** Chassis_Private.nb_cfg_timestamp: the ovn-controller that lives follows nb_cfg, one that is gone does not. */
  readonly followedAt: number;
}

/** A row of Port_Binding, and what the ovn-controllers of its chassis do by it. */
export interface PortBinding {
  readonly port: Port;
  readonly vm: Vm | undefined;
  /** Its column `mac`. */
  addresses: readonly string[];
  isArmed: boolean;
  /** northd copies these whole. */
  copied: PortColumns;
  /** Names of the chassis that have claimed it. */
  main: string | undefined;
  additional: readonly string[];
  /** Several chassis claim it in turn, since nothing is requested. */
  isFought: boolean;
  /** options:additional-chassis-activated */
  activated: readonly string[];
  activatedAt: number;
  /** The version of the port that northd made this of. */
  version: number;
  /** Since when an ovn-controller that has passed over it waits for its row to change. */
  missedAt: number | undefined;
}

const NOTHING: PortColumns = { options: {}, externalIds: {} };

/** How long northd takes to see what an ovn-controller has written. */
const NORTHD_LAG_MS = 10;

/** OVN_Southbound, with what ovn-northd and the ovn-controllers make of the northbound database. */
export class Southbound {
  readonly bindings: PortBinding[] = [];
  chassis: readonly Chassis[] = [];
  /** Whether an ovn-controller, just now, does not make its additional claim the main one (docs/ovn-versions.md). */
  missesClaim: (vm: Vm | undefined) => boolean = () => false;

  addBinding(port: Port, vm: Vm | undefined): void {
    const claims = {
      addresses: [ADDRESSES],
      isArmed: false,
      copied: NOTHING,
      main: undefined,
      additional: [],
      isFought: false,
    };
    this.bindings.push({ port, vm, ...claims, activated: [], activatedAt: 0, version: 0, missedAt: undefined });
  }

  addChassis(name: string, hostname: string, otherConfig: Chassis['otherConfig'] = {}): void {
    this.chassis = [...this.chassis, { name, hostname, otherConfig, followedAt: Date.now() }];
  }

  /** The row of an ovn-controller that was killed, and came back under another name. */
  addStaleChassis(name: string, hostname: string): void {
    this.chassis = [...this.chassis, { name, hostname, otherConfig: {}, followedAt: 1 }];
  }

  removeChassis(name: string): void {
    this.chassis = this.chassis.filter((one) => one.name !== name);
  }

  /** The name of the chassis that a node of this cluster is. */
  chassisOf(node: string): string | undefined {
    const own = this.chassis.filter(({ hostname, otherConfig }) => hostname === node && !isRemote(otherConfig));
    return own.sort((a, b) => b.followedAt - a.followedAt)[0]?.name;
  }

  bindingOf(port: Port): PortBinding {
    return this.bindings.find((binding) => binding.port === port)!;
  }

  /** Whether northd, and the ovn-controllers, have come to a port since it was written. */
  hasFollowed(port: Port): boolean {
    const { version, missedAt } = this.bindingOf(port);
    return version === port.version && missedAt === undefined;
  }

  /** One pass of ovn-northd, and of the ovn-controllers after it. */
  pass(): void {
    for (const binding of this.bindings) {
      const { port, vm } = binding;
      // A name that is not known is skipped: the first one that is becomes the main chassis.
      const requested = (port.options['requested-chassis'] ?? '')
        .split(',')
        .filter((name) => this.chassis.some((chassis) => chassis.name === name));
      const [main, ...additional] = requested;
      // It keeps the flag as long as there is an additional chassis, whichever that is.
      if (additional.length === 0) binding.activated = [];
      // It copies the whole map of options, and a flag that it has not seen yet is not in there.
      else if (binding.version !== port.version && Date.now() - binding.activatedAt < NORTHD_LAG_MS)
        binding.activated = [];
      const isSame =
        isEqual(binding.copied.options, port.options) && isEqual(binding.copied.externalIds, port.externalIds);
      binding.version = port.version;
      binding.copied = { options: port.options, externalIds: port.externalIds };
      binding.isArmed = port.options['activation-strategy'] === 'rarp';
      const holders = [...(vm?.pluggedNodes ?? [])].flatMap((node) => this.chassisOf(node) ?? []);
      binding.isFought = main === undefined && holders.length > 1;
      const holder = main === undefined ? holders[0] : holders.find((name) => name === main);
      const wasAdditional = holder !== undefined && binding.additional.includes(holder);
      if (!wasAdditional || additional.length > 0) binding.missedAt = undefined;
      else if (!isSame) binding.missedAt = this.missesClaim(vm) ? Date.now() : undefined;
      const isMissed = binding.missedAt !== undefined;
      binding.main = isMissed ? undefined : holder;
      binding.additional = isMissed ? [holder!] : additional.filter((name) => holders.includes(name));
    }
  }

  /** The guest announces itself from a node: that opens its port there, where it is held closed. */
  rarp(port: Port, node: string): void {
    const binding = this.bindingOf(port);
    const name = this.chassisOf(node);
    if (name === undefined || !binding.isArmed || !binding.additional.includes(name)) return;
    if (binding.activated.includes(name)) return;
    binding.activated = [...binding.activated, name];
    binding.activatedAt = Date.now();
  }

  /** Whether what is sent from a node through its tap comes out, and what is sent to it arrives. */
  isOpen(port: Port, node: string): boolean {
    const { main, additional, activated, isArmed, isFought, missedAt } = this.bindingOf(port);
    const name = this.chassisOf(node);
    if (name === undefined || isFought || missedAt !== undefined) return false;
    return main === name || (additional.includes(name) && (!isArmed || activated.includes(name)));
  }

  transact(operations: readonly Operation[]): OperationResult[] {
    return operations.map((operation): OperationResult => {
      if (operation.op === 'comment') return {};
      if (operation.op !== 'select')
        throw new Error(`A hand-over has no business with "${operation.op}" in OVN_Southbound.`);
      const isWanted = (row: WireRow) => operation.where.every((condition) => matches(row, condition));
      return { rows: this.#rowsOf(operation.table).filter(isWanted) };
    });
  }

  #rowsOf(table: string): readonly WireRow[] {
    if (table === 'Chassis') return this.chassis.map(chassisRow);
    if (table === 'Chassis_Private') {
      return this.chassis.map(({ name, followedAt }) => ({ name, nb_cfg_timestamp: followedAt }));
    }
    return this.bindings.map((one) => this.#bindingRow(one));
  }

  #bindingRow({ port, addresses, copied, activated, main, additional }: PortBinding): WireRow {
    const set = (names: readonly string[]): WireValue => [
      'set',
      names.map((name) => ['uuid', uuidOf('chassis', name)]),
    ];
    const options = {
      ...copied.options,
      ...(activated.length > 0 && { 'additional-chassis-activated': activated.join(',') }),
    };
    return {
      _uuid: ['uuid', uuidOf('binding', port.name)],
      logical_port: port.name,
      datapath: ['uuid', uuidOf('binding', 'the network')],
      type: '',
      mac: ['set', [...addresses]],
      options: toWireMap(options),
      chassis: set(main === undefined ? [] : [main]),
      additional_chassis: set(additional),
    };
  }
}

function isRemote(otherConfig: Chassis['otherConfig']): boolean {
  return otherConfig['is-remote'] === 'true';
}

function chassisRow({ name, hostname, otherConfig }: Chassis): WireRow {
  return { _uuid: ['uuid', uuidOf('chassis', name)], name, hostname, other_config: toWireMap(otherConfig) };
}

function matches(row: WireRow, [column, operator, value]: WireCondition): boolean {
  const isUuid = column === '_uuid' || column === 'datapath';
  const [actual, wanted] = isUuid ? [idOf(row[column]), idOf(value)] : [row[column], value];
  if (operator === '==') return actual === wanted;
  if (operator === '!=') return actual !== wanted;
  throw new Error(`The model knows no condition "${operator}" on ${column}.`);
}

function idOf(value: WireValue | undefined): string | undefined {
  return (value as readonly string[] | undefined)?.[1];
}
