import type { StrategySupport } from './activation.ts';

/** A Port_Binding row, as far as a hand-over depends on it. */
export interface PortBinding {
  readonly uuid: string;
  readonly port: string;
  /** uuid of its network's row in Datapath_Binding */
  readonly datapath: string;
  /** Its `mac` column: addresses as the northbound database has them, `dynamic` unresolved. */
  readonly addresses: readonly string[];
  /** Names of additional chassis that a RARP has opened and that northd has not yet forgotten. */
  readonly activated: readonly string[];
  /** The time of our record in its options, which northd copies from the port: it tells which binding this row follows. */
  readonly since: string | undefined;
  /** uuid of the chassis that has claimed it as its main one */
  readonly chassis: string | undefined;
  /** uuids of those that have claimed it beside that one */
  readonly additionalChassis: readonly string[];
}

/** @param chassis its uuid */
export function isClaimedBy(chassis: string, binding: PortBinding): boolean {
  return binding.chassis === chassis || binding.additionalChassis.includes(chassis);
}

/** A Chassis row, as far as a hand-over depends on it. */
export interface Chassis {
  readonly uuid: string;
  readonly name: string;
  readonly strategySupport: StrategySupport;
}

/** What else is hit while a port is bound to two chassis (docs/ovn-versions.md). */
export interface SideEffects {
  readonly port: string;
  /** OVN tunnels what it would otherwise send to the physical network as it is, and so leaves less room in a packet. */
  readonly isOnLocalnet: boolean;
  /** Ports of type `virtual` that have it for a parent: both chassis claim them in turn. */
  readonly virtualPorts: readonly string[];
}

/** What the southbound database says of some nodes and ports. */
export interface SouthboundFacts {
  /** By node: one chassis, or none, or several of which none is known to be the one alive. */
  readonly chassis: ReadonlyMap<string, readonly Chassis[]>;
  readonly bindings: ReadonlyMap<string, PortBinding>;
}
