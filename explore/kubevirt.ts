import { controllingVmi, isFinal, isGated, type Pod } from '../handover/decision/kubevirt.ts';
import type { Choices } from './choices.ts';
import type { Situation } from './coverage.ts';
import type { ApiServer } from './kubernetes.ts';
import type { Ovn } from './ovn.ts';
import type { Vm } from './vm.ts';

/** What a script waits for: some ms, or until something is so (or, at the latest, all is quiet). */
export type Wait = number | { until(): boolean };
export type Script = Generator<Wait, void>;

/** Takes one line of a schedule's story. */
export type Tell = (line: string) => void;

export interface Stage {
  readonly api: ApiServer;
  readonly ovn: Ovn;
  readonly choices: Choices;
  readonly nodes: readonly string[];
  /** Whether the admission policy that gates target pods is installed. */
  readonly gates: boolean;
  readonly tell: Tell | undefined;
  meet(situation: Situation): void;
  /** Its chassis goes, and comes back when all is quiet. */
  loseChassis(node: string): void;
  after(ms: number, act: () => void): void;
}

const COURSES = ['succeeds', 'fails', 'is cancelled', 'is cancelled too late', 'loses its target node'] as const;
/** Where a migration that fails or is cancelled ends. */
const ENDS = ['gated', 'scheduled', 'plugged', 'handed off', 'copying'] as const;

/** One migration as KubeVirt writes it (reference: its migration controller and virt-handler). */
export function* migrate(stage: Stage, vm: Vm): Script {
  const { api, ovn, choices, tell, meet } = stage;
  const source = vm.guest;
  const vmi = vm.vmi?.metadata.uid;
  if (source === undefined || vmi === undefined || stage.nodes.length < 2) return;
  const isOver = () => vm.vmi?.metadata.uid !== vmi || vm.guest === undefined;
  const course = choices.pick(COURSES);
  const end = course === 'succeeds' || course === 'is cancelled too late' ? 'copying' : choices.pick(ENDS);
  const hotplug = choices.chance(0.2);
  if (hotplug) meet('hotplug');
  if (vm.ports.length > 1) meet('two NICs');
  const target = choices.pick(stage.nodes.filter((node) => node !== source));
  if (target === vm.cameFrom && Date.now() - vm.cameAt < 5_000) meet('goes back at once (A→B→A)');
  const vmim = api.createVmim(vm);
  const { uid } = vmim.metadata;
  const phase = (name: string) => {
    if (isOver()) return;
    api.updateVmim(vm, uid, { phase: name });
    tell?.(`VMIM ${uid} is ${name}`);
  };
  tell?.(
    `${vm.name} is to migrate (${uid}) from ${source} to ${target}: ${course}${end === 'copying' ? '' : ` when ${end}`}${hotplug ? ', with hotplug' : ''}`,
  );
  yield short(choices);
  if (isOver()) return;
  phase('Pending');
  // It waits for the end of whatever an earlier migration left behind.
  yield { until: () => isOver() || !vm.pods.some(isLeftOver) };
  if (isOver()) return;
  const gated = stage.gates && vm.last.optedIn;
  let pod = api.createTarget(vm, uid, gated);
  tell?.(`target pod ${pod.metadata.uid}${gated ? ', gated' : ''}`);
  yield short(choices);
  if (!hotplug) phase('Scheduling');
  if (choices.chance(0.1)) {
    yield long(choices);
    if (isOver()) return;
    api.deletePod(vm, pod);
    pod = api.createTarget(vm, uid, gated);
    tell?.(`KubeVirt replaces the target pod by ${pod.metadata.uid}`);
    meet('target pod replaced');
  }
  if (choices.chance(0.05)) {
    if (isOver()) return;
    api.createForgedTarget(vm, uid, choices.pick(stage.nodes));
    tell?.('somebody makes a pod with the labels of the target');
    meet('target pod forged');
  }
  if (end === 'gated') return void (yield* giveUp());
  yield { until: () => isOver() || !isGated(now(vm, pod)) };
  if (isOver()) return;
  if (isGated(now(vm, pod))) return void (yield* giveUp());

  yield short(choices);
  if (isOver()) return;
  api.updatePod(vm, pod, {}, { nodeName: target });
  tell?.(`target pod ${pod.metadata.uid} goes to ${target}`);
  if (end === 'scheduled') return void (yield* giveUp());
  yield short(choices);
  if (isOver()) return;
  for (const { name } of vm.ports) ovn.plugged.get(name)!.add(target);
  tell?.(`plugged on ${target}`);
  yield short(choices);
  if (end === 'plugged') return void (yield* giveUp());
  api.updatePod(vm, pod, {}, {}, { phase: 'Running' });
  yield long(choices);
  if (isOver()) return;
  if (hotplug) phase('Scheduling');
  phase('Scheduled');
  yield short(choices);
  if (isOver()) return;
  api.updateVmi(vm, { migrationState: { migrationUid: uid } });
  tell?.('handed off');
  if (end === 'handed off') return void (yield* giveUp());
  yield short(choices);
  phase('PreparingTarget');
  phase('TargetReady');
  yield long(choices);
  phase('Running');
  yield long(choices);
  if (isOver()) return;
  if (course === 'is cancelled too late') {
    api.updateVmim(vm, uid, { deletionTimestamp: 'now' });
    tell?.('cancelled, too late');
    meet('is cancelled too late');
    yield short(choices);
    if (isOver()) return;
  }
  if (course === 'fails' || course === 'is cancelled' || course === 'loses its target node') {
    // The target had loaded its state, and announced itself, before it failed.
    if (choices.chance(0.3)) announce(target);
    return void (yield* giveUp());
  }

  vm.guest = target;
  api.note(vm);
  tell?.(`the guest switches to ${target}`);
  announce(target);
  yield short(choices);
  if (isOver()) return;
  if (!choices.chance(0.2)) {
    api.updateVmi(vm, { migrationState: { migrationUid: uid, targetNodeDomainReadyTimestamp: 'now' } });
    yield short(choices);
    if (isOver()) return;
    api.markReady(vm, pod);
    tell?.('the switch is told');
    yield long(choices);
    if (isOver()) return;
  }
  if (choices.chance(0.3)) endSource();
  api.updateVmi(vm, { nodeName: target });
  tell?.(`VMI.status.nodeName is ${target}`);
  yield short(choices);
  if (isOver()) return;
  api.markReady(vm, pod);
  phase('Succeeded');
  meet('succeeds');
  vm.cameFrom = source;
  vm.cameAt = Date.now();
  yield short(choices);
  if (isOver()) return;
  endSource();
  // The copied migrationState, and the finalizer that goes.
  if (!choices.chance(0.3)) phase('Succeeded');

  function* giveUp(): Script {
    if (isOver()) return;
    if (course === 'fails' || course === 'is cancelled') meet(`${course} when ${end}`);
    if (course === 'loses its target node') {
      stage.loseChassis(target);
      meet(course);
      yield long(choices);
      if (isOver()) return;
    }
    if (course === 'is cancelled') {
      api.updateVmim(vm, uid, { deletionTimestamp: 'now' });
      tell?.('cancelled');
      yield short(choices);
      if (isOver()) return;
    }
    // QEMU gives up before its pod does.
    const outlives = end === 'copying' && choices.chance(0.3);
    if (outlives) {
      phase('Failed');
      meet('target pod outlives its migration');
      stage.after(long(choices), () => {
        if (isOver()) return;
        api.updatePod(vm, pod, {}, {}, { phase: 'Failed' });
        unplug(target);
        tell?.(`target pod ${pod.metadata.uid} ends at last`);
      });
      return;
    }
    if (choices.chance(0.5)) api.updatePod(vm, pod, { deletionTimestamp: 'now' });
    else api.updatePod(vm, pod, {}, {}, { phase: 'Failed' });
    tell?.('the target pod ends');
    yield short(choices);
    unplug(target);
    if (isOver()) return;
    phase('Failed');
    yield short(choices);
    if (isOver()) return;
    api.deletePod(vm, pod);
    yield short(choices);
    if (isOver() || !choices.chance(0.5)) return;
    phase('Failed');
  }

  function isLeftOver(one: Pod): boolean {
    return controllingVmi(one)?.uid === vmi && !isFinal(one) && one.spec.nodeName !== source;
  }

  function unplug(node: string): void {
    for (const { name } of vm.ports) if (vm.guest !== node) ovn.plugged.get(name)!.delete(node);
  }

  function endSource(): void {
    unplug(source!);
    const old = vm.pods.find(({ spec, status }) => spec.nodeName === source && status?.phase === 'Running');
    if (old === undefined) return;
    api.updatePod(vm, old, {}, {}, { phase: 'Succeeded' });
    if (!choices.chance(0.3)) return;
    stage.after(long(choices), () => {
      if (isOver()) return;
      api.deletePod(vm, old);
      meet('completed source pod deleted');
      tell?.(`completed pod ${old.metadata.uid} is deleted`);
    });
  }

  /** QEMU's announcements: the last comes 0.8 s after the first. */
  function announce(node: string): void {
    for (const ms of [0, 50, 200, 450, 800]) {
      stage.after(ms, () => {
        for (const { name } of vm.ports) ovn.rarp(name, node);
      });
    }
  }
}

function now(vm: Vm, pod: Pod): Pod {
  return vm.pods.find(({ metadata }) => metadata.uid === pod.metadata.uid) ?? pod;
}

export function short(choices: Choices): number {
  return choices.pick([5, 1, 40, 300, 1_500]);
}

export function long(choices: Choices): number {
  return choices.pick([1_000, 20, 300, 3_000, 6_000]);
}
