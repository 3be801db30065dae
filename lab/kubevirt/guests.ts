import type { MigrationResult } from '../guest/migrate.ts';
import type { PodNetwork } from './pod-network.ts';

/** What runs in the launcher pods, and what their plugs are like. */
export interface GuestKind {
  /** Puts the pod's interfaces on `br-int`. */
  plug(network: PodNetwork): Promise<void>;
  /** May come more than once, and without a plug before it. */
  unplug(network: PodNetwork): Promise<void>;
  /** @param incoming address at which it waits for a migrating guest, instead of booting */
  start(network: PodNetwork, incoming?: string): Promise<LauncherGuest>;
}

/** A guest, or what stands in for one. */
export interface LauncherGuest {
  readonly pid: number | undefined;
  /** When it first ran here, ms since the epoch. */
  readonly resumed: Promise<number>;
  /** Resolves when it is gone from here for good. */
  readonly ended: Promise<void>;
  /** Resolves when it has booted and serves. */
  ready(): Promise<void>;
  /**
   * Moves to `target`, which waits at the address `uri`; this one then stands still.
   * @throws MigrationError when it stays here
   */
  migrate(target: LauncherGuest, uri: string, options: MigrateOptions): Promise<MigrationResult>;
  /** Ends it at once. */
  stop(): Promise<void>;
}

export interface MigrateOptions {
  /** Cancels; if the guest has switched by then, the migration completes all the same. */
  readonly signal: AbortSignal;
  /** Waits for a step's time, for kinds that have none of their own. @throws StepFailed */
  readonly step: (step: 'copy' | 'resume', signal: AbortSignal) => Promise<void>;
}
