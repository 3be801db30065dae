import type { Facts } from './facts.ts';
import type { VirtualMachineInstanceMigration, VmiReference } from './kubevirt.ts';
import type { DesiredPort } from './port.ts';
import type { SouthboundFacts } from './southbound.ts';

/** What was true at one look, and the binding that each port should have by it. */
export interface Observation {
  readonly vmi: VmiReference;
  readonly facts: Facts;
  /** VMIMs as they were read, those of other VMs of the namespace perhaps among them. */
  readonly migrations: readonly VirtualMachineInstanceMigration[];
  readonly ports: readonly DesiredPort[];
  /** Of the nodes and ports that the function needs for its own steps. */
  readonly southbound: SouthboundFacts;
  /** ms since the epoch, taken before anything was read */
  readonly readAt: number;
}
