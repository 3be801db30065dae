import type { ControlPlane } from '../control-plane.ts';
import { ALLOW_BRIDGE_MIGRATION } from '../kubevirt/labels.ts';
import { answers } from '../migrate/vm.ts';
import { type BindingsWatch, watchAllBindings } from '../observe/bindings.ts';
import type { TestbedDescription, VmDescription } from '../testbed/description.ts';
import { type Cast, castOf } from './cast.ts';
import { startStageControlPlane } from './control-plane.ts';
import type { Ending } from './ending.ts';
import { eventually } from './eventually.ts';
import { Meetings } from './meetings.ts';
import { type PortRows, readRows, wrongWith } from './rows.ts';
import type { Act, Scenario } from './scenario.ts';
import { Stage } from './stage.ts';
import { chassisOf } from './stage-vm.ts';

export interface ScenarioResult {
  readonly name: string;
  readonly act: string;
  readonly ms: number;
  /** How the first port of each VM was bound over time. */
  readonly stories: readonly string[];
  /** What is not as it should be; nothing when it passed. */
  readonly wrong: readonly string[];
}

export interface ScenariosOptions {
  /** With the VMs of {@link castOf}. */
  readonly testbed: TestbedDescription;
  readonly acts: readonly Act[];
  /** From a target pod's nodeName to the switch, ms. */
  readonly paceMs: number;
  /** How many scenarios are played side by side, where they need not meet. */
  readonly atOnce: number;
  readonly onProgress: (step: string) => void;
  readonly onResult: (result: ScenarioResult, done: number, of: number) => void;
}

/** How long a port may take to become right, and its claims to follow, on a busy machine. */
const SETTLED_WITHIN_MS = 60_000;

/** What opts a VM in. */
const OPTED_IN = { [ALLOW_BRIDGE_MIGRATION]: 'true' };

/** Plays all scenarios on one control plane, and looks at the rows of every port at the end of each. */
export async function runScenarios(options: ScenariosOptions): Promise<readonly ScenarioResult[]> {
  const { testbed, acts } = options;
  const before = await readRows(testbed);
  const controlPlane = await startStageControlPlane(options);
  const bindings = await watchAllBindings(testbed);
  try {
    const run = new Run(options, controlPlane, bindings, before);
    for (const act of acts) await run.play(act);
    await run.finish();
    return run.results;
  } finally {
    await bindings.stop();
    await controlPlane.stop();
  }
}

/** Until then a pod that has ended counts as plugged; in doubt both are right. */
const PLUGGED_FOR_MS = { atLeast: 55_000, atMost: 62_000 };
/** How long the launcher pods that guests have left may take to end. */
const POD_ENDS_WITHIN_MS = 60_000;

interface Played {
  readonly act: Act;
  readonly scenario: Scenario;
  readonly stage: Stage;
  readonly endings: readonly Ending[];
  readonly ms: number;
  readonly wrong: string[];
}

class Run {
  readonly results: ScenarioResult[] = [];
  readonly #options: ScenariosOptions;
  readonly #controlPlane: ControlPlane;
  readonly #bindings: BindingsWatch;
  readonly #before: ReadonlyMap<string, PortRows>;
  readonly #cast: Cast;
  /** What has been played, and its VMs stand. */
  #standing: Played[] = [];
  #env: Act['env'];
  #reading: ReturnType<typeof readRows> | undefined;

  constructor(
    options: ScenariosOptions,
    controlPlane: ControlPlane,
    bindings: BindingsWatch,
    before: ReadonlyMap<string, PortRows>,
  ) {
    this.#options = options;
    this.#controlPlane = controlPlane;
    this.#bindings = bindings;
    this.#before = before;
    this.#cast = castOf(options.acts);
  }

  /** Plays an act, and looks at all its ports once more at its end. */
  async play(act: Act): Promise<void> {
    const { onProgress, onResult, acts, atOnce } = this.#options;
    await this.#setUp(act);
    onProgress(`${act.title}: ${act.scenarios.length} scenarios`);
    const meetings = new Meetings(act);
    const total = acts.reduce((sum, { scenarios }) => sum + scenarios.length, 0);
    const played: Played[] = [];
    const queue = act.scenarios.values();
    const before = this.results.length + this.#standing.length;
    const player = async () => {
      for (const scenario of queue) {
        const one = await this.#playOne(act, scenario, meetings);
        played.push(one);
        onResult(resultOf(one), before + played.length, total);
      }
    };
    const players = act.meetings === undefined ? atOnce : act.scenarios.length;
    await Promise.all(Array.from({ length: players }, player));
    await this.#lookAgain(played);
    this.#standing.push(...played);
  }

  /** At rest, after one sweep, nothing of ours is left; then takes the VMs away. */
  async finish(): Promise<void> {
    await this.#rest(this.#standing);
    await this.#takeAway(this.#standing);
    this.results.push(...this.#standing.map(resultOf));
    this.#standing = [];
  }

  async #setUp({ env }: Act): Promise<void> {
    if (env === this.#env) return;
    if (this.#standing.length > 0) await this.finish();
    this.#env = env;
    const { events } = this.#controlPlane;
    await events.stop();
    await events.start(env);
  }

  async #playOne(act: Act, scenario: Scenario, meetings: Meetings): Promise<Played> {
    const { testbed } = this.#options;
    const vms = this.#cast.get(scenario) ?? [];
    const startedAt = Date.now();
    const stage: Stage = new Stage({
      testbed,
      controlPlane: this.#controlPlane,
      bindings: this.#bindings,
      vms,
      meet: (meeting) => meetings.attend(meeting, stage),
    });
    const wrong: string[] = [];
    let endings: readonly Ending[] = [];
    try {
      const annotations = { ...OPTED_IN, ...act.annotations };
      const starts = stage.vms.map(async (vm, index) => {
        const { annotations: own, isAbsent } = scenario.vms?.[index] ?? {};
        if (!isAbsent) await vm.start(own ?? annotations);
      });
      await Promise.all(starts);
      endings = await scenario.play(stage);
      await this.#settled(stage, endings);
    } catch (error) {
      wrong.push((error as Error).message);
    } finally {
      meetings.leave();
    }
    return { act, scenario, stage, endings, ms: Date.now() - startedAt, wrong };
  }

  /** Waits until all rows are as they should be, and until the client is answered. */
  async #settled(stage: Stage, endings: readonly Ending[]): Promise<void> {
    let wrong: string[] = [];
    const isRight = async () => {
      wrong = await this.#wrongIn(stage, endings);
      return wrong.length === 0;
    };
    await eventually('the rows are right', isRight, SETTLED_WITHIN_MS).catch(() => {
      throw new Error(wrong.join('; '));
    });
    for (const [index, { interfaces }] of stage.vms.entries()) {
      const ending = endings[index];
      if (ending === undefined || ending.binding === 'no port' || ending.node === undefined) continue;
      for (const { port, ip } of interfaces) {
        await eventually(`${port} answers the client`, () => answers(stage.testbed, ip));
      }
    }
  }

  async #wrongIn({ testbed, vms }: Stage, endings: readonly Ending[]): Promise<string[]> {
    const now = await this.#rows();
    const wrongBy = (vm: Stage['vm'], ending: Ending, port: string) =>
      wrongWith(now.get(port), this.#before.get(port)!, ending, {
        chassisOf: (node) => chassisOf(testbed, node),
        vmi: vm.vmi()?.metadata.uid,
      }).map((what) => `${port}: ${what}`);
    const wrongWithPort = (vm: Stage['vm'], ending: Ending, port: string) => {
      const wrong = wrongBy(vm, ending, port);
      if (wrong.length === 0 || ending.binding !== 'pinned') return wrong;
      const { node, theirs } = ending;
      const atRest =
        vm.aloneForMs() > PLUGGED_FOR_MS.atLeast && wrongBy(vm, { binding: 'unbound', node, theirs }, port);
      return atRest && atRest.length === 0 ? atRest : wrong;
    };
    return vms.flatMap((vm, index) => vm.interfaces.flatMap(({ port }) => wrongWithPort(vm, endings[index]!, port)));
  }

  /** One look at the databases serves all scenarios that wait for it. */
  async #rows(): ReturnType<typeof readRows> {
    this.#reading ??= readRows(this.#options.testbed).finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** What was right has to be so when all events, late ones too, have come. */
  async #lookAgain(played: readonly Played[]): Promise<void> {
    for (const { stage, endings, wrong } of played) {
      if (wrong.length > 0) continue;
      // A strip that comes long after the deletion that led to it is mended by the next event or sweep.
      if (await this.#isStripped(stage)) {
        await this.#controlPlane.events.ping();
        await this.#settled(stage, endings).catch((error: Error) => wrong.push(`after a late strip, ${error.message}`));
      }
      wrong.push(...(await this.#wrongIn(stage, endings)).map((what) => `later, ${what}`));
    }
  }

  /** Whether somebody has taken a binding off, and left its record. */
  async #isStripped({ vms }: Stage): Promise<boolean> {
    const rows = await this.#rows();
    const options = vms.flatMap((vm) => vm.interfaces.map(({ port }) => rows.get(port)?.options ?? {}));
    return options.some((one) => 'handover-binding' in one && !('requested-chassis' in one));
  }

  /** When no pod that a guest has left may be plugged any more, the ports are as they were before any migration. */
  async #rest(played: readonly Played[]): Promise<void> {
    this.#options.onProgress('waiting for a minute after the last pod that a guest has left has ended, then a sweep');
    const right = played.filter(({ wrong }) => wrong.length === 0);
    const areAlone = async () =>
      right.every(({ stage }) => stage.vms.every((vm) => vm.aloneForMs() > PLUGGED_FOR_MS.atMost));
    await eventually('the guests are alone', areAlone, PLUGGED_FOR_MS.atMost + POD_ENDS_WITHIN_MS).catch(() => {});
    await this.#controlPlane.events.ping();
    const rests = right.map(async ({ stage, endings, wrong }) => {
      const atRest = endings.map((ending): Ending => {
        if (ending.binding === 'no port') return ending;
        return { binding: 'unbound', node: ending.node, theirs: ending.theirs };
      });
      await this.#settled(stage, atRest).catch((error: Error) => wrong.push(`at rest, ${error.message}`));
    });
    await Promise.all(rests);
  }

  /** VMs that are gone leave no trace. */
  async #takeAway(played: readonly Played[]): Promise<void> {
    this.#options.onProgress('deleting the VMs');
    const takeAway = async ({ stage, endings, wrong }: Played) => {
      const last = stage.vms.map((_, index): Ending => {
        const ending = endings[index];
        return ending?.binding === 'no port' ? ending : { binding: 'unbound', theirs: ending?.theirs };
      });
      try {
        await Promise.all(stage.vms.map((vm) => vm.delete()));
        await Promise.all(stage.vms.map((vm) => vm.isGone()));
        await this.#settled(stage, last);
      } catch (error) {
        wrong.push(`deleted, ${(error as Error).message}`);
      }
    };
    const queue = played.values();
    const worker = async () => {
      for (const one of queue) await takeAway(one);
    };
    await Promise.all(Array.from({ length: this.#options.atOnce }, worker));
  }
}

function resultOf({ act, scenario, stage, ms, wrong }: Played): ScenarioResult {
  const stories = stage.vms.map((vm) => vm.story());
  return { name: scenario.name, act: act.title, ms, stories, wrong };
}

/** All VMs of these scenarios, for the testbed. */
export function vmsOf(acts: readonly Act[]): VmDescription[] {
  return [...castOf(acts).values()].flat();
}
