import type { Choices } from './choices.ts';
import type { CoveragePoint } from './coverage.ts';
import type { Invariants } from './invariants/invariants.ts';
import type { KubeOvn } from './model/kube-ovn.ts';
import { migrate, receive, type Stage } from './model/kubevirt.ts';
import type { Port } from './model/northbound.ts';
import { isFinal, OPT_IN_ANNOTATION } from './model/objects.ts';
import { long, type Script, short } from './model/pace.ts';
import type { RestApi } from './model/rest.ts';
import type { Vm } from './model/vm.ts';

export interface World extends Stage {
  readonly vms: readonly Vm[];
  readonly kubeOvn: KubeOvn;
  readonly rest: RestApi;
  readonly invariants: Invariants;
  /** Another interface of a VM. */
  addPort(vm: Vm): void;
  onNorthboundWrite(vm: Vm, port: Port, before: Port['options']): void;
}

const TROUBLES = [
  'foreign',
  'restart',
  'delete',
  'crash',
  'opt-out',
  'overwrite',
  'record',
  'chassis',
  'node',
  'API',
] as const;

/** What becomes of the VMs, and what people, nodes and neighbours do to them. */
export class Lives {
  readonly #world: World;
  readonly #choices: Choices;
  #renamed = 0;

  constructor(world: World) {
    this.#world = world;
    this.#choices = world.choices;
  }

  begin(vm: Vm): void {
    const { go, nodes } = this.#world;
    if (this.#choices.chance(0.04)) go(this.#comeFromElsewhere(vm));
    else this.#start(vm, this.#choices.pick(nodes), !this.#choices.chance(0.1));
    if (this.#choices.chance(0.4)) go(this.#trouble(vm));
    if (this.#choices.chance(0.6)) go(this.#neighbours(vm));
  }

  *chassisOutage(node: string): Script {
    const { southbound, invariants, narrate, vms, cover } = this.#world;
    const { lost, lostAt } = invariants.commits;
    const name = southbound.chassisOf(node);
    if (name === undefined) return;
    southbound.removeChassis(name);
    lost.add(name);
    lostAt.set(name, Date.now());
    invariants.disturbedAt = Number.POSITIVE_INFINITY;
    narrate?.(`chassis ${name} goes`);
    yield { until: () => false };
    const isRenamed = this.#choices.chance(0.3);
    const next = isRenamed ? `${name}-${++this.#renamed}` : name;
    if (isRenamed) cover('chassis renamed');
    else lostAt.delete(name);
    southbound.addChassis(next, node);
    if (isRenamed && this.#choices.chance(0.5)) southbound.addStaleChassis(name, node);
    lost.delete(name);
    invariants.disturbedAt = Date.now();
    for (const vm of vms) {
      invariants.excuse(vm);
      invariants.commits.credit(vm);
    }
    narrate?.(`chassis ${next} is ${isRenamed ? 'what comes back' : 'back'}`);
  }

  #start(vm: Vm, node: string, optedIn: boolean): void {
    this.#world.api.createVmi(vm, node, optedIn);
    this.#world.go(this.#life(vm));
  }

  *#comeFromElsewhere(vm: Vm): Script {
    const hasCome = yield* receive(this.#world, vm);
    if (hasCome) yield* this.#life(vm);
  }

  *#life(vm: Vm): Script {
    const choices = this.#choices;
    const { cover, addPort } = this.#world;
    const uid = vm.vmi!.metadata.uid;
    const isOver = () => vm.guest === undefined || vm.vmi?.metadata.uid !== uid;
    for (let count = 1 + choices.below(3); count > 0; count--) {
      yield long(choices);
      if (isOver()) return;
      if (vm.isSecond) cover('migrates again after a restart');
      const { cameAt } = vm;
      yield* migrate(this.#world, vm);
      // KubeVirt plugs another interface in by a migration; Kube-OVN makes its port for the target.
      if (!isOver() && vm.cameAt !== cameAt && vm.ports.length === 1 && choices.chance(0.2)) {
        cover('NIC plugged in by a migration');
        addPort(vm);
        this.#world.api.interfaceAdded(vm);
      }
      // The webhook denies another while one is not final; it may come at once, before the source pod's network is gone.
    }
    yield long(choices);
    if (!isOver() && choices.chance(0.3)) this.#end(vm);
  }

  /** Kube-OVN writes for reasons of its own. */
  *#neighbours(vm: Vm): Script {
    for (let count = 1 + this.#choices.below(4); count > 0; count--) {
      yield this.#choices.pick([3_000, 500, 5_000, 12_000]);
      this.#world.kubeOvn.changeUnrelated(vm);
    }
  }

  *#trouble(vm: Vm): Script {
    const choices = this.#choices;
    const { narrate, cover, nodes, go, api } = this.#world;
    for (let ms = choices.below(8); ms > 0; ms--) yield 2_000;
    yield short(choices);
    if (vm.vmi === undefined) return;
    const isMeanwhile = vm.now.migration !== undefined;
    const meanwhile = (point: CoveragePoint) => {
      if (isMeanwhile) cover(point);
    };
    const trouble = choices.pick(TROUBLES);
    switch (trouble) {
      case 'foreign':
      case 'overwrite':
      case 'record':
        if (vm.ports.length > 0) this.#write(choices.pick(vm.ports), vm, trouble, meanwhile);
        return;
      case 'delete':
        meanwhile('VM deleted meanwhile');
        return this.#end(vm);
      case 'restart':
        meanwhile('VM restarted meanwhile');
        this.#end(vm);
        return yield* this.#startAnew(vm, nodes);
      case 'crash':
        meanwhile('guest dies meanwhile');
        this.#crash(vm);
        yield long(choices);
        return this.#end(vm);
      case 'opt-out': {
        const { [OPT_IN_ANNOTATION]: _, ...rest } = vm.vmi.metadata.annotations;
        meanwhile('opted out meanwhile');
        api.updateVmi(vm, {}, rest);
        return narrate?.(`the annotation is taken off ${vm.name}`);
      }
      case 'chassis':
        meanwhile('chassis gone meanwhile');
        return yield* this.chassisOutage(choices.pick(nodes));
      case 'API':
        this.#unserve();
        return;
      case 'node': {
        const node = vm.guest;
        if (node === undefined) return;
        meanwhile('node of the guest lost meanwhile');
        narrate?.(`node ${node} is lost`);
        // Its row in the southbound database stays, unless somebody takes it out.
        if (choices.chance(0.5)) go(this.chassisOutage(node));
        this.#crash(vm);
        yield long(choices);
        this.#end(vm);
        return yield* this.#startAnew(
          vm,
          nodes.filter((one) => one !== node),
        );
      }
    }
  }

  #write(
    port: Port,
    vm: Vm,
    trouble: 'foreign' | 'overwrite' | 'record',
    meanwhile: (point: CoveragePoint) => void,
  ): void {
    const { narrate, southbound, nodes, onNorthboundWrite } = this.#world;
    const before = port.options;
    if (trouble === 'foreign') {
      meanwhile('other writer adds keys meanwhile');
      port.write({ options: { ...before, qos_burst: '7' }, externalIds: { ...port.externalIds, note: 'theirs' } });
      narrate?.(`somebody writes keys of their own on ${port.name}`);
    } else if (trouble === 'record') {
      // As `ovn-nbctl lsp-set-options` does with what somebody has seen there that they know.
      if (before['handover-binding'] === undefined) return;
      meanwhile('other writer takes the record off meanwhile');
      const rest = Object.entries(before).filter(([key]) => !key.startsWith('handover-'));
      port.write({ options: Object.fromEntries(rest) });
      narrate?.(`somebody takes the record off ${port.name}`);
    } else {
      const chassis = southbound.chassisOf(this.#choices.pick(nodes));
      if (before['handover-binding'] === undefined || chassis === undefined) return;
      meanwhile('other writer binds the port meanwhile');
      port.write({ options: { ...before, 'requested-chassis': chassis } });
      narrate?.(`somebody binds ${port.name} to ${chassis}`);
    }
    onNorthboundWrite(vm, port, before);
  }

  /** KubeVirt's CRDs are replaced: for a while the API server knows none of their paths. */
  #unserve(): void {
    const { rest, narrate, cover, invariants, vms, after } = this.#world;
    cover('API path not served');
    narrate?.('kubevirt.io is not served');
    rest.unserved.add('kubevirt.io');
    invariants.disturbedAt = Number.POSITIVE_INFINITY;
    after(this.#choices.pick([3_000, 300, 20_000]), () => {
      rest.unserved.delete('kubevirt.io');
      invariants.disturbedAt = Date.now();
      for (const vm of vms) invariants.excuse(vm);
      narrate?.('kubevirt.io is served again');
    });
  }

  *#startAnew(vm: Vm, nodes: readonly string[]): Script {
    yield long(this.#choices);
    if (vm.vmi) return;
    vm.isSecond = true;
    this.#start(vm, this.#choices.pick(nodes), true);
    this.#world.narrate?.(`${vm.name} starts anew on ${vm.guest}`);
  }

  /** The guest dies, and KubeVirt sees it. */
  #crash(vm: Vm): void {
    const { api, narrate } = this.#world;
    vm.guest = undefined;
    api.updateVmi(vm, { phase: 'Failed' });
    for (const vmim of vm.vmims) if (!isFinal(vmim)) api.updateVmim(vm, vmim.metadata.uid, {}, { phase: 'Failed' });
    narrate?.(`the guest of ${vm.name} dies`);
  }

  #end(vm: Vm): void {
    this.#world.narrate?.(`${vm.name} is deleted`);
    this.#world.api.deleteVmi(vm);
  }
}
