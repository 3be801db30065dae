import type { Ending } from './ending.ts';
import type { Stage } from './stage.ts';

/** One thing that can happen to VMs while, before or after they migrate, and how their ports must end. */
export interface Scenario {
  /** In a few words; also how it is chosen on the command line. */
  readonly name: string;
  /** The VMs that it is about; by default one with one interface, opted in. They run when it begins. */
  readonly vms?: readonly VmOptions[];
  /**
   * Plays it, and gives how the ports of each VM must be in the end, in the order of `vms`.
   * @throws Error when something does not come that must
   */
  play(stage: Stage): Promise<readonly Ending[]>;
}

export interface VmOptions {
  readonly nics?: number;
  /** By default `prod`. */
  readonly namespace?: string;
  /** Nothing runs it when the scenario begins; only its ports are there. */
  readonly isAbsent?: true;
  /** Of its template; by default those that opt it in. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Scenarios that run side by side, under the same circumstances. */
export interface Act {
  readonly title: string;
  /** Settings of the functions that differ from the usual ones. */
  readonly env?: Readonly<Record<string, string>>;
  /** Of the templates of its VMs, beside those that opt them in; by default none. */
  readonly annotations?: Readonly<Record<string, string>>;
  /**
   * What happens to all of them at once, by name: each scenario of the act waits there for the others
   * ({@link Stage.meet}).
   */
  readonly meetings?: Readonly<Record<string, (stage: Stage) => Promise<void>>>;
  readonly scenarios: readonly Scenario[];
}
