import type { TestbedDescription } from '../testbed/description.ts';
import type { Cluster } from './cluster.ts';
import type { GuestKind } from './guests.ts';
import type { Lives } from './lives.ts';
import type { Log } from './log.ts';
import type { Pace } from './pace.ts';
import type { Launchers } from './virt-launcher.ts';

/** What every actor has at hand. */
export interface Context {
  readonly cluster: Cluster;
  readonly testbed: TestbedDescription;
  readonly guests: GuestKind;
  readonly launchers: Launchers;
  readonly lives: Lives;
  readonly pace: Pace;
  readonly log: Log;
  /** Aborts when the stand-in shuts down. */
  readonly signal: AbortSignal;
}
