import { setTimeout as sleep } from 'node:timers/promises';
import type { Choices } from '../../explore/choices.ts';
import type { ControlPlane } from '../control-plane.ts';
import { linesIn } from '../migrate/journals.ts';
import { watchAllBindings } from '../observe/bindings.ts';
import { startStageControlPlane } from '../scenarios/control-plane.ts';
import type { Ending } from '../scenarios/ending.ts';
import { eventually } from '../scenarios/eventually.ts';
import { type PortRows, readRows, wrongWith } from '../scenarios/rows.ts';
import { Stage } from '../scenarios/stage.ts';
import { chassisOf, type StageVm } from '../scenarios/stage-vm.ts';
import type { TestbedDescription } from '../testbed/description.ts';
import { killNorthbound, startNorthbound } from '../testbed/northbound.ts';

export interface KillOptions {
  /** Each of its VMs migrates, side by side with the others. */
  readonly testbed: TestbedDescription;
  readonly migrations: number;
  /** How many functions are killed, spread over the migrations. */
  readonly kills: number;
  /** How often the northbound server is killed and started again. */
  readonly restarts: number;
  readonly random: Choices;
  readonly paceMs: number;
  readonly onProgress: (step: string) => void;
  readonly onMigration: (line: MigrationLine, done: number) => void;
}

export interface MigrationLine {
  readonly vm: string;
  readonly from: string;
  readonly to: string;
  readonly phase: string;
  readonly cancelled: boolean;
  readonly ms: number;
  /** Its ports were right only after `reconcile`. */
  readonly reconciled: boolean;
  readonly wrong: readonly string[];
}

export interface KillReport {
  readonly migrations: readonly MigrationLine[];
  /** By function. */
  readonly kills: Readonly<Record<string, number>>;
  readonly restarts: number;
  /** Deliveries that a function did not live to answer. */
  readonly unanswered: number;
  /** Deliveries that were another try. */
  readonly retried: number;
  /** Events that the broker gave up. */
  readonly dropped: number;
  /** What is wrong after all, VMs deleted. */
  readonly wrong: readonly string[];
}

/** How long a VM's ports may stay wrong before `reconcile` is asked to look. */
const SETTLED_WITHIN_MS = 60_000;
/** After it, with nobody else plugged, a port has no binding; in doubt both are right. */
const A_MINUTE_MS = 55_000;
/** The chance that a migration is cancelled on its way. */
const CANCELLED = 0.2;

/** Migrates the testbed's VMs at random while functions and the northbound server are killed; looks at the rows each time. */
export async function runKills(options: KillOptions): Promise<KillReport> {
  const { testbed } = options;
  const before = await readRows(testbed);
  const controlPlane = await startStageControlPlane(options);
  try {
    return await new KillRun(options, controlPlane, before).run();
  } finally {
    await controlPlane.stop();
  }
}

class KillRun {
  readonly #options: KillOptions;
  readonly #controlPlane: ControlPlane;
  readonly #before: ReadonlyMap<string, PortRows>;
  readonly #lines: MigrationLine[] = [];
  readonly #kills: Record<string, number> = {};
  #killed = 0;
  #begun = 0;
  #restarted = 0;

  constructor(options: KillOptions, controlPlane: ControlPlane, before: ReadonlyMap<string, PortRows>) {
    this.#options = options;
    this.#controlPlane = controlPlane;
    this.#before = before;
  }

  async run(): Promise<KillReport> {
    const { testbed, onProgress } = this.#options;
    const startedAt = Date.now();
    const bindings = await watchAllBindings(testbed);
    const meet = async () => {};
    const { vms } = new Stage({ testbed, controlPlane: this.#controlPlane, bindings, vms: testbed.vms, meet });
    onProgress(`starting ${vms.length} VMs`);
    await Promise.all(vms.map((vm) => vm.start()));
    // These observers do not outlive the northbound server.
    await bindings.stop();
    onProgress(`${this.#options.migrations} migrations, ${vms.length} at a time`);
    await Promise.all([this.#killFunctions(), this.#restartNorthbound(), ...vms.map((vm) => this.#migrate(vm))]);
    onProgress('deleting the VMs');
    await Promise.all(vms.map((vm) => vm.delete()));
    await Promise.all(vms.map((vm) => vm.isGone()));
    const wrong = await Promise.all(vms.map((vm) => this.#settled(vm, { binding: 'unbound' })));
    const journal = await linesIn(this.#controlPlane.logs.knative, { from: startedAt, to: Date.now() });
    const deliveries = journal.filter(({ kind }) => kind === 'delivery');
    return {
      migrations: this.#lines,
      kills: this.#kills,
      restarts: this.#restarted,
      unanswered: deliveries.filter(({ status }) => status === 502 || status === 500).length,
      retried: deliveries.filter(({ attempt }) => Number(attempt) > 1).length,
      dropped: journal.filter(({ kind }) => kind === 'dropped').length,
      wrong: wrong.flatMap((one) => one.wrong),
    };
  }

  get #done(): number {
    return this.#lines.length;
  }

  get #isOver(): boolean {
    return this.#done >= this.#options.migrations;
  }

  /** One migration after the other, as long as there are some to begin. */
  async #migrate(vm: StageVm): Promise<void> {
    const { migrations, kills, random, onMigration } = this.#options;
    while (this.#begun < migrations) {
      const number = this.#begun++;
      // The kills shall fall among the migrations, and not after them.
      while (this.#killed < (number * kills) / migrations - this.#options.testbed.vms.length) await sleep(50);
      const line = await this.#migrateOnce(vm, random);
      this.#lines.push(line);
      onMigration(line, this.#done);
    }
  }

  async #migrateOnce(vm: StageVm, random: Choices): Promise<MigrationLine> {
    const startedAt = Date.now();
    const from = vm.node();
    const nodes = this.#options.testbed.chassis.map(({ node }) => node);
    const to = random.pick(nodes.filter((node) => node !== from));
    const cancelled = random.chance(CANCELLED);
    const migration = await vm.migrate({ to });
    if (cancelled) {
      await sleep(random.below(2 * this.#options.paceMs));
      await migration.cancel();
    }
    const phase = await migration.ended();
    // One that was cancelled before anybody looked leaves the port as the one before left it.
    const { reconciled, wrong } = await this.#settled(vm, vm.pinned(migration), cancelled);
    return { vm: vm.name, from, to, phase, cancelled, ms: Date.now() - startedAt, reconciled, wrong };
  }

  /** Waits until the VM's ports are right; asks `reconcile` if that does not come by itself. */
  async #settled(vm: StageVm, ending: Ending, lenient = false): Promise<{ reconciled: boolean; wrong: string[] }> {
    let wrong: string[] = [];
    const isRight = async () => {
      wrong = await this.#wrongWith(vm, ending, lenient).catch((error: Error) => [error.message]);
      return wrong.length === 0;
    };
    const settles = () =>
      eventually('it is right', isRight, SETTLED_WITHIN_MS)
        .then(() => true)
        .catch(() => false);
    if (await settles()) return { reconciled: false, wrong };
    await this.#controlPlane.events.ping();
    await settles();
    return { reconciled: true, wrong };
  }

  async #wrongWith(vm: StageVm, ending: Ending, lenient: boolean): Promise<string[]> {
    const { testbed } = this.#options;
    const now = await readRows(testbed);
    return vm.interfaces.flatMap(({ port }) => {
      const before = this.#before.get(port)!;
      const migration = now.get(port)?.options['handover-migration'];
      const mayDiffer = lenient || vm.aloneForMs() > A_MINUTE_MS;
      const either: Ending =
        !mayDiffer || ending.binding !== 'pinned'
          ? ending
          : migration === undefined
            ? { binding: 'unbound', node: ending.node }
            : { ...ending, migration };
      return wrongWith(now.get(port), before, either, {
        chassisOf: (node) => chassisOf(testbed, node),
        vmi: vm.vmi()?.metadata.uid,
      }).map((what) => `${port}: ${what}`);
    });
  }

  /** In step with the migrations, at moments by chance. */
  async #killFunctions(): Promise<void> {
    const { kills, migrations, random } = this.#options;
    while (this.#killed < kills && !this.#isOver) {
      await sleep(random.below(200));
      if (this.#killed > ((this.#done + this.#options.testbed.vms.length) * kills) / migrations) continue;
      const running = await this.#controlPlane.events.functions();
      if (running.length === 0) continue;
      const { name, pid } = random.pick(running);
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        continue; // It ended by itself meanwhile.
      }
      this.#killed += 1;
      this.#kills[name] = (this.#kills[name] ?? 0) + 1;
    }
  }

  async #restartNorthbound(): Promise<void> {
    const { restarts, migrations, random, testbed, onProgress } = this.#options;
    for (let number = 1; number <= restarts; number++) {
      while (this.#begun < (number * migrations) / (restarts + 1)) await sleep(50);
      await killNorthbound(testbed);
      const awayMs = random.below(2_000);
      await sleep(awayMs);
      await startNorthbound(testbed);
      this.#restarted += 1;
      onProgress(`the northbound server was killed, and away for ${(awayMs / 1000).toFixed(1)} s`);
    }
  }
}
