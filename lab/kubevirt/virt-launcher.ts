import type { TestbedDescription } from '../testbed/description.ts';
import { networkOf } from './cni.ts';
import type { GuestKind, LauncherGuest } from './guests.ts';
import type { Pod } from './objects.ts';
import type { FinalPhase } from './pod-status.ts';

/** Where a target's QEMU listens; KubeVirt's first port for direct migration. */
export const MIGRATION_PORT = 49152;

/** The process in a launcher pod's container `compute`: it runs one guest at virt-handler's command, and ends with it. */
export class Launcher {
  /** How the container ended. */
  readonly ended: Promise<FinalPhase>;
  readonly #pod: Pod;
  readonly #testbed: TestbedDescription;
  readonly #guests: GuestKind;
  readonly #end: (phase: FinalPhase) => void;
  #guest: Promise<LauncherGuest> | undefined;

  constructor(pod: Pod, testbed: TestbedDescription, guests: GuestKind) {
    const { promise, resolve } = Promise.withResolvers<FinalPhase>();
    this.ended = promise;
    this.#end = resolve;
    this.#pod = pod;
    this.#testbed = testbed;
    this.#guests = guests;
  }

  /** The guest that runs, or is to arrive, here. */
  async guest(): Promise<LauncherGuest> {
    if (this.#guest === undefined) throw new Error(`Pod ${this.#pod.metadata.name} has no guest yet.`);
    return this.#guest;
  }

  async boot(): Promise<LauncherGuest> {
    return this.#start();
  }

  /** Waits for a migrating guest. */
  async receive(): Promise<LauncherGuest> {
    return this.#start(this.migrationUri());
  }

  migrationUri(): string {
    return `tcp:${networkOf(this.#pod, this.#testbed).chassis.migrationAddress}:${MIGRATION_PORT}`;
  }

  /** Ends the guest, if there is one, and the container. */
  async end(phase: FinalPhase): Promise<void> {
    this.#end(phase);
    const guest = await this.#guest?.catch(() => undefined);
    await guest?.stop();
  }

  async #start(incoming?: string): Promise<LauncherGuest> {
    this.#guest = this.#guests.start(networkOf(this.#pod, this.#testbed), incoming);
    try {
      const guest = await this.#guest;
      void guest.ended.then(() => this.#end('Failed'));
      return guest;
    } catch (error) {
      this.#end('Failed');
      throw error;
    }
  }
}

/** The launchers that run, by pod. */
export class Launchers {
  readonly #byPod = new Map<string, Launcher>();
  readonly #testbed: TestbedDescription;
  readonly #guests: GuestKind;

  constructor(testbed: TestbedDescription, guests: GuestKind) {
    this.#testbed = testbed;
    this.#guests = guests;
  }

  open(pod: Pod): Launcher {
    const launcher = new Launcher(pod, this.#testbed, this.#guests);
    this.#byPod.set(pod.metadata.uid, launcher);
    return launcher;
  }

  /** Nothing if the pod's container does not run. */
  of(pod: Pod | undefined): Launcher | undefined {
    return pod && this.#byPod.get(pod.metadata.uid);
  }

  async close(pod: Pod): Promise<void> {
    await this.#byPod.get(pod.metadata.uid)?.end('Succeeded');
    this.#byPod.delete(pod.metadata.uid);
  }
}
