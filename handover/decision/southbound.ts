import type { StrategySupport } from './activation.ts';

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
  readonly uuid: string;
  readonly name: string;
  readonly strategySupport: StrategySupport;
}

/** What the southbound database says of some nodes and ports. */
export interface SouthboundFacts {
  /** By node: one chassis, or none, or several of which none is known to be the one alive. */
  readonly chassis: ReadonlyMap<string, readonly Chassis[]>;
  readonly bindings: ReadonlyMap<string, PortBinding>;
}
