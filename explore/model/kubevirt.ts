import type { Choices } from '../choices.ts';
import type { CoveragePoint } from '../coverage.ts';
import type { ApiServer } from './api-server.ts';
import { gatesOf, isFinal, ownerOf, type Pod, type Vmim } from './objects.ts';
import { about, long, type Script, short, type Wait } from './pace.ts';
import type { Southbound } from './southbound.ts';
import type { Vm } from './vm.ts';

export interface Stage {
  readonly api: ApiServer;
  readonly southbound: Southbound;
  readonly choices: Choices;
  readonly nodes: readonly string[];
  /** Whether the admission policy that gates target pods is installed. */
  readonly gates: boolean;
  readonly narrate: ((line: string) => void) | undefined;
  cover(point: CoveragePoint): void;
  /** Its chassis goes, and comes back when all is quiet. */
  loseChassis(node: string): void;
  after(ms: number, act: () => void): void;
  go(script: Script): void;
  /** The guest has really switched. */
  onSwitch(vm: Vm): void;
}

const COURSES = ['succeeds', 'fails', 'is cancelled', 'is cancelled too late', 'loses its target node'] as const;
/** Where a migration that fails or is cancelled ends. */
const ENDS = ['gated', 'scheduled', 'plugged', 'handed off', 'copying'] as const;
/** QEMU's announcements on the target, in ms from the first, which comes 27 ms before anybody says so. */
const RARPS_MS = [0, 41, 190, 440, 863];

/** One migration as KubeVirt 1.9 was seen to write it: its order, its pace, what comes together and what late. */
export function* migrate(stage: Stage, vm: Vm): Script {
  const { api, choices, narrate, cover } = stage;
  const source = vm.guest;
  const vmi = vm.vmi?.metadata.uid;
  if (source === undefined || vmi === undefined) return;
  const isOver = () => vm.vmi?.metadata.uid !== vmi || vm.guest === undefined;
  const course = choices.pick(COURSES);
  const end = course === 'succeeds' || course === 'is cancelled too late' ? 'copying' : choices.pick(ENDS);
  const hotplug = choices.chance(0.2);
  if (hotplug) cover('hotplug');
  if (vm.ports.length > 1) cover('two NICs');
  const isOnSource = choices.chance(0.01);
  const target = isOnSource ? source : choices.pick(stage.nodes.filter((node) => node !== source));
  if (target === vm.cameFrom && Date.now() - vm.cameAt < 15_000) cover('goes back at once (A→B→A)');
  const hasLabel = !choices.chance(0.05);
  if (!hasLabel) cover('VMIM without label');
  const vmim = api.createVmim(vm, hasLabel);
  const { uid } = vmim.metadata;
  const phase = (name: string) => {
    if (isOver()) return;
    api.updateVmim(vm, uid, {}, { phase: name });
    narrate?.(`VMIM ${uid} is ${name}`);
  };
  const state = (more: Readonly<Record<string, string | boolean>>, rest: object = {}) =>
    api.updateVmi(vm, { ...rest, migrationState: { ...vm.vmi!.status.migrationState, ...more } });
  narrate?.(
    `${vm.name} is to migrate (${uid}) from ${source} to ${target}: ${course}${end === 'copying' ? '' : ` when ${end}`}${hotplug ? ', with hotplug' : ''}${hasLabel ? '' : ', without label'}`,
  );
  yield about(choices, 20);
  if (isOver()) return;
  phase('Pending');
  // It waits for the end of whatever an earlier migration left behind.
  yield { until: () => isOver() || !vm.pods.some(isLeftOver) };
  if (isOver()) return;
  const gated = stage.gates && vm.now.optedIn;
  let pod = api.createTarget(vm, vmim, gated);
  narrate?.(`target pod ${pod.metadata.uid}${gated ? ', gated' : ''}`);
  yield about(choices, 20);
  if (!hotplug) phase('Scheduling');
  if (choices.chance(0.1)) {
    yield long(choices);
    if (isOver()) return;
    api.deletePod(vm, pod);
    pod = api.createTarget(vm, vmim, gated);
    narrate?.(`KubeVirt replaces the target pod by ${pod.metadata.uid}`);
    cover('target pod replaced');
  }
  if (choices.chance(0.05)) {
    if (isOver()) return;
    api.createForgedTarget(vm, vmim, choices.pick(stage.nodes));
    narrate?.('somebody makes a pod with the labels of the target');
    cover('target pod forged');
  }
  if (end === 'gated') return void (yield* giveUp());
  yield { until: () => isOver() || gatesOf(vm.podNow(pod)).length === 0 };
  if (isOver()) return;
  if (gatesOf(vm.podNow(pod)).length > 0) return void (yield* giveUp());

  yield about(choices, 20);
  if (isOver()) return;
  api.updatePod(vm, pod, { spec: { nodeName: target } });
  const scheduledAt = Date.now();
  narrate?.(`target pod ${pod.metadata.uid} goes to ${target}`);
  if (isOnSource) {
    // KubeVirt#18946: nothing comes of it for minutes.
    cover("target on the source's node");
    yield 300_000;
    return void (yield* giveUp());
  }
  if (end === 'scheduled') return void (yield* giveUp());
  yield about(choices, 500);
  if (isOver()) return;
  vm.taps.set(pod.metadata.uid, target);
  narrate?.(`plugged on ${target}`);
  if (end === 'plugged') return void (yield* giveUp());
  yield about(choices, 350);
  if (isOver()) return;
  api.updatePod(vm, pod, { status: { phase: 'Running' } });
  yield about(choices, 55);
  if (hotplug) phase('Scheduling');
  phase('Scheduled');
  yield about(choices, 100);
  if (isOver()) return;
  api.updateVmi(vm, { migrationState: { migrationUid: uid, sourceNode: source, targetNode: target } });
  narrate?.('handed off');
  if (end === 'handed off') return void (yield* giveUp());
  yield about(choices, 25);
  phase('PreparingTarget');
  yield about(choices, 550);
  phase('TargetReady');
  yield about(choices, 20);
  if (isOver()) return;
  // virt-handler begins when it sees the VMI; the phases follow, perhaps when all is over.
  state({ startTimestamp: new Date().toISOString(), mode: 'PreCopy' });
  narrate?.('memory is copied');
  yield about(choices, 50);
  phase('Running');
  // From nodeName to the switch 3.1 to 4.6 s were seen; a larger guest takes as long as it takes.
  const copying = choices.pick([3_200, 3_900, 4_600, 9_000, 30_000]) - (Date.now() - scheduledAt);
  yield Math.max(copying, about(choices, 500));
  if (isOver()) return;
  if (course === 'is cancelled too late') {
    api.updateVmim(vm, uid, { deletionTimestamp: new Date().toISOString() });
    narrate?.('cancelled, too late');
    cover('is cancelled too late');
    yield about(choices, 100);
    if (isOver()) return;
    state({ abortRequested: true });
    yield short(choices);
    if (isOver()) return;
  }
  if (course === 'fails' || course === 'is cancelled' || course === 'loses its target node') {
    // The target had loaded its state, and announced itself, before it failed.
    if (choices.chance(0.3)) announce();
    return void (yield* giveUp());
  }

  vm.guest = target;
  vm.guestPod = pod.metadata.uid;
  api.note(vm);
  narrate?.(`the guest switches to ${target}`);
  announce();
  stage.onSwitch(vm);
  yield* publishSwitch();
  if (isOver()) return;
  phase('Succeeded');
  cover('succeeds');
  vm.cameFrom = source;
  vm.cameAt = Date.now();
  const old = sourcePod();
  if (old) stage.go(endSource(old));
  // The copied migrationState, and the finalizer that goes.
  yield about(choices, 580);
  if (isOver()) return;
  api.updateVmim(vm, uid, {}, { migrationState: {} });
  yield about(choices, 100);
  if (isOver()) return;
  if (course === 'is cancelled too late') api.deleteVmim(vm, uid);
  else api.updateVmim(vm, uid, {});

  /** What is written after the switch comes one by one, all in one update, or late. */
  function* publishSwitch(): Script {
    const order = choices.pick(['one by one', 'at once', 'seconds late', 'without the time'] as const);
    yield order === 'seconds late' ? 8_000 : about(choices, order === 'at once' ? 123 : 27);
    if (isOver()) return;
    const ready = { targetNodeDomainReadyTimestamp: new Date().toISOString() };
    if (order === 'one by one') {
      state(ready);
      narrate?.('VMI.status tells that the domain is ready');
      yield about(choices, 37);
      if (isOver()) return;
      api.markReady(vm, pod);
      yield choices.pick([36, 300, 5_000]);
      if (isOver()) return;
    }
    state({ ...(order !== 'without the time' && ready), endTimestamp: 'now' }, { nodeName: target });
    narrate?.(`VMI.status.nodeName is ${target}`);
    // A small guest's source pod ends before anybody has written more.
    if (choices.chance(0.1)) {
      const old = sourcePod();
      if (old) stage.go(endSource(old));
    }
    yield choices.pick([70, 230, 1]);
    if (isOver()) return;
    if (order !== 'one by one') api.markReady(vm, pod);
    yield about(choices, 150);
    if (isOver()) return;
    api.updatePod(vm, pod, {
      metadata: { labels: { ...vm.podNow(pod).metadata.labels, 'kubevirt.io/nodeName': target } },
    });
  }

  function* giveUp(): Script {
    if (isOver()) return;
    if (course === 'fails' || course === 'is cancelled') cover(`${course} when ${end}`);
    if (course === 'loses its target node') {
      stage.loseChassis(target);
      cover(course);
      yield long(choices);
      if (isOver()) return;
    }
    const isCancelled = course === 'is cancelled';
    if (isCancelled) {
      api.updateVmim(vm, uid, { deletionTimestamp: new Date().toISOString() });
      narrate?.('cancelled');
      yield about(choices, 80);
      if (isOver()) return;
    }
    // QEMU gives up before its pod does.
    if (end === 'copying' && choices.chance(0.5)) {
      state({ failed: true, completed: true });
      yield about(choices, 40);
      if (isOver()) return;
      phase('Failed');
      cover('target pod outlives its migration');
      stage.after(choices.pick([1_000, 6_000, 30_000]), () => {
        if (isOver()) return;
        api.endPod(vm, pod, 'Failed');
        stage.after(short(choices), unplug);
        narrate?.(`target pod ${pod.metadata.uid} ends at last`);
      });
    } else {
      if (choices.chance(0.5)) api.updatePod(vm, pod, { metadata: { deletionTimestamp: new Date().toISOString() } });
      else api.endPod(vm, pod, 'Failed');
      narrate?.('the target pod ends');
      yield short(choices);
      unplug();
      if (isOver()) return;
      phase('Failed');
      yield short(choices);
      if (isOver()) return;
      api.deletePod(vm, pod);
    }
    yield short(choices);
    if (isOver()) return;
    if (isCancelled) api.deleteVmim(vm, uid);
    else api.updateVmim(vm, uid, {}, { migrationState: {} });
  }

  function isLeftOver(one: Pod): boolean {
    return ownerOf(one) === vmi && !isFinal(one) && one.metadata.uid !== vm.guestPod;
  }

  function unplug(): void {
    vm.taps.delete(pod.metadata.uid);
  }

  function sourcePod(): Pod | undefined {
    return vm.pods.find(
      (one) => ownerOf(one) === vmi && one.spec.nodeName === source && one.status.phase === 'Running',
    );
  }

  /** The pod that the guest has left ends seconds later; it is deleted long after, by hand, or never. */
  function* endSource(old: Pod): Script {
    yield choices.pick([10_000, 1_500, 5_000]);
    if (isOver()) return;
    api.endPod(vm, old, 'Succeeded');
    narrate?.(`pod ${old.metadata.uid} that the guest has left is Succeeded`);
    // Its sandbox, and with it the tap, goes after its containers have.
    stage.after(choices.pick([500, 20, 5_000, 30_000]), () => vm.taps.delete(old.metadata.uid));
    const deleted = choices.pick(['never', 'soon', 'while another migration copies'] as const);
    if (deleted === 'never') return;
    if (deleted === 'soon') yield choices.pick([10_000, 1_000, 90_000]);
    else {
      yield {
        until: () =>
          isOver() || vm.vmims.some(({ metadata, status }) => metadata.uid !== uid && status.phase === 'Running'),
      };
      yield choices.pick([1_000, 100, 2_500, 3_500]);
    }
    if (isOver()) return;
    vm.taps.delete(old.metadata.uid);
    api.deletePod(vm, old);
    cover(deleted === 'soon' ? 'completed source pod deleted' : 'completed pod deleted while another migration copies');
    narrate?.(`completed pod ${old.metadata.uid} is deleted`);
  }

  function announce(): void {
    for (const ms of RARPS_MS) {
      stage.after(ms, () => {
        for (const port of vm.ports) if (vm.taps.has(pod.metadata.uid)) stage.southbound.rarp(port, target);
      });
    }
  }
}

/** A migration from another cluster, the half that receives: its target pod looks like any other. @returns whether it has come */
export function* receive({ api, choices, nodes, narrate, cover, gates }: Stage, vm: Vm): Generator<Wait, boolean> {
  api.createWaitingVmi(vm);
  const { uid } = vm.vmi!.metadata;
  const vmim: Vmim = api.createVmim(vm, true, { receive: { migrationID: 'from-elsewhere' } });
  const pod = api.createTarget(vm, vmim, gates);
  cover('decentralized migration');
  narrate?.(`${vm.name} is to come from elsewhere, into pod ${pod.metadata.uid}`);
  yield { until: () => vm.vmi?.metadata.uid !== uid || gatesOf(vm.podNow(pod)).length === 0 };
  yield about(choices, 20);
  if (vm.vmi?.metadata.uid !== uid) return false;
  const node = choices.pick(nodes);
  api.updatePod(vm, pod, { spec: { nodeName: node }, status: { phase: 'Running' } });
  yield long(choices);
  if (vm.vmi?.metadata.uid !== uid) return false;
  vm.taps.set(pod.metadata.uid, node);
  vm.guest = node;
  vm.guestPod = pod.metadata.uid;
  api.updateVmi(vm, { phase: 'Running', nodeName: node });
  api.markReady(vm, pod);
  narrate?.(`${vm.name} has come to ${node}`);
  api.updateVmim(vm, vmim.metadata.uid, {}, { phase: 'Succeeded' });
  return true;
}
