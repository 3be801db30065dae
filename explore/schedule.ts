import { desired, type FunctionName } from '../handover/decision/desired.ts';
import { isFinal, OPT_IN_ANNOTATION } from '../handover/decision/kubevirt.ts';
import { recordOf } from '../handover/decision/record.ts';
import type { Choices } from './choices.ts';
import { Agenda, START, setClock } from './clock.ts';
import type { Situation } from './coverage.ts';
import { Replica, type Surroundings } from './functions.ts';
import { type Action, ApiServer, type Kind, NAMESPACE } from './kubernetes.ts';
import { long, migrate, type Script, type Stage, short, type Tell } from './kubevirt.ts';
import { runMicrotasks } from './microtasks.ts';
import { chassisName, Ovn } from './ovn.ts';
import { Promises } from './promises.ts';
import { wantsOf } from './triggers.ts';
import { Vm } from './vm.ts';

const NODES = ['a', 'b', 'c'];
/** More entries than any schedule comes to that comes to an end. */
const MOST_STEPS = 60_000;
/** The broker's retries: exponential, so that the last ones are far apart. */
const BACKOFF_MS = [200, 400, 800, 1_600, 3_200, 6_400, 12_800];

/**
 * Runs one schedule: random VMs with random lives, any number of replicas, and everything that can go wrong between them.
 * @param story takes one line for each thing that happens
 * @param met takes the situations that come about
 * Must be called from outside of any promise's callback.
 * @returns the promise that was broken, if one was
 */
export function runSchedule(choices: Choices, story?: string[], met = new Set<Situation>()): string | undefined {
  setClock(START);
  return new Schedule(choices, story, met).run();
}

class Schedule {
  readonly #agenda = new Agenda();
  readonly #choices: Choices;
  readonly #met: Set<Situation>;
  /** Absent where nobody listens, so that no line is made for nothing. */
  readonly #tell: Tell | undefined;
  readonly #ovn = new Ovn();
  readonly #vms: Vm[] = [];
  readonly #api: ApiServer;
  readonly #promises: Promises;
  readonly #around: Surroundings;
  readonly #stage: Stage;
  readonly #replicas = new Map<string, Replica>();
  /** Scripts that wait for something that others do. */
  #waiting: { readonly script: Script; readonly until: () => boolean }[] = [];
  #isFrozen = false;
  #isCalm = false;
  readonly #losesEvents: boolean;
  #passIsDue = false;
  #steps = 0;

  constructor(choices: Choices, story: string[] | undefined, met: Set<Situation>) {
    this.#choices = choices;
    this.#met = met;
    this.#tell = story && ((line) => story.push(`${secondsOf(Date.now()).padStart(9)} s  ${line}`));
    for (const node of NODES) this.#ovn.addChassis(node);
    for (let number = 0; number < (choices.chance(0.2) ? 2 : 1); number++) {
      const pod = { pod: `${NAMESPACE}/vm${number}`, vendor: 'kube-ovn' };
      const names = choices.chance(0.3) ? ['', '.second'] : [''];
      const ports = names.map((nic) => this.#ovn.addPort(`vm${number}.${NAMESPACE}${nic}`, pod));
      this.#vms.push(new Vm(`vm${number}`, ports));
    }
    this.#ovn.addPort('router-port', { vendor: 'kube-ovn' });
    this.#promises = new Promises(this.#vms, this.#ovn);
    this.#api = new ApiServer(
      this.#vms,
      () => Date.now(),
      (vm, kind, action, object) => this.#publish(vm, kind, action, object),
    );
    this.#api.onAdmitted = (vm, pod) => this.#promises.admitted(vm, pod, Date.now());
    this.#losesEvents = choices.chance(0.4);
    const hasFaults = choices.chance(0.8);
    this.#around = {
      isTouched: false,
      agenda: this.#agenda,
      choices,
      ovn: this.#ovn,
      api: this.#api,
      promises: this.#promises,
      isFaulty: () => hasFaults && !this.#isCalm,
      tell: this.#tell,
      meet: (situation) => met.add(situation),
      onNorthboundChange: () => this.#northd(),
    };
    this.#stage = {
      api: this.#api,
      ovn: this.#ovn,
      choices,
      nodes: NODES,
      gates: !choices.chance(0.15),
      tell: this.#tell,
      meet: (situation) => met.add(situation),
      loseChassis: (node) => this.#go(this.#chassisOutage(node)),
      after: (ms, act) => this.#agenda.after(ms, act),
    };
  }

  run(): string | undefined {
    for (const vm of this.#vms) {
      this.#start(vm, this.#choices.pick(NODES), !this.#choices.chance(0.1));
      if (this.#choices.chance(0.4)) this.#go(this.#mischief(vm));
    }
    if (this.#choices.chance(0.3)) this.#agenda.after(this.#choices.below(30_000), () => this.#tick());
    // KubeVirt stands still for a while: what is wrong now is not put right by what it would have done next.
    const freeze = this.#choices.chance(0.3);
    if (freeze)
      this.#agenda.after(this.#choices.below(20_000), () => {
        this.#isFrozen = true;
      });
    for (let round = 0; round < 12; round++) {
      this.#runDry();
      if (this.#promises.broken) return this.#promises.broken;
      this.#tell?.('all is quiet');
      this.#promises.atRest(desired, false);
      this.#sweep();
      this.#promises.atRest(desired, true);
      if (this.#promises.broken) return this.#promises.broken;
      if (!this.#isFrozen && this.#waiting.length === 0) return undefined;
      this.#isFrozen = false;
      for (const { script } of this.#waiting.splice(0)) this.#go(script);
    }
    return 'the schedule does not come to an end';
  }

  #sweep(): void {
    this.#isCalm = true;
    const reply = this.#reconcile();
    this.#runDry();
    if (!reply.came) this.#promises.break('reconcile does not come to an end');
    this.#isCalm = false;
    this.#promises.unheard.clear();
    this.#promises.meddled.clear();
  }

  /** The ten minutes are over, whatever is going on. */
  #tick(): void {
    if (this.#vms.some((vm) => vm.last.migration)) this.#met.add('reconcile meanwhile');
    this.#reconcile();
  }

  #reconcile(): { readonly came: boolean } {
    this.#tell?.('reconcile');
    const reply = { came: false };
    void new Replica('reconcile', 0, this.#around).answer(ping()).then(() => {
      reply.came = true;
    });
    runMicrotasks();
    return reply;
  }

  /** Goes on until nothing is under way. */
  #runDry(): void {
    while (this.#promises.broken === undefined && this.#agenda.step()) {
      if (this.#around.isTouched) {
        this.#around.isTouched = false;
        runMicrotasks();
      }
      if (++this.#steps > MOST_STEPS) this.#promises.break('the schedule does not come to an end');
      if (this.#waiting.length > 0) this.#wakeScripts();
    }
  }

  // KubeVirt and the people.

  #start(vm: Vm, node: string, optedIn: boolean): void {
    this.#api.createVmi(vm, node, optedIn);
    for (const { name } of vm.ports) this.#ovn.plugged.get(name)!.add(node);
    this.#go(this.#life(vm));
  }

  *#life(vm: Vm): Script {
    const choices = this.#choices;
    const uid = vm.vmi!.metadata.uid;
    const isOver = () => vm.guest === undefined || vm.vmi?.metadata.uid !== uid;
    for (let count = 1 + choices.below(3); count > 0; count--) {
      yield long(choices);
      if (isOver()) return;
      if (vm.isSecond) this.#met.add('migrates again after a restart');
      yield* migrate(this.#stage, vm);
      // Another is refused while one is not final; it may come at once, before the source pod's network is gone.
    }
    yield long(choices);
    if (!isOver() && choices.chance(0.3)) this.#end(vm);
  }

  *#mischief(vm: Vm): Script {
    const choices = this.#choices;
    for (let ms = choices.below(8); ms > 0; ms--) yield 2_000;
    yield short(choices);
    const port = choices.pick(vm.ports);
    const isMeanwhile = vm.last.migration !== undefined;
    const meet = (situation: Situation) => isMeanwhile && this.#met.add(situation);
    switch (
      choices.pick(['foreign', 'restart', 'delete', 'crash', 'opt-out', 'overwrite', 'chassis', 'node'] as const)
    ) {
      case 'foreign':
        port.options = { ...port.options, qos_burst: '7' };
        port.externalIds = { ...port.externalIds, note: 'theirs' };
        meet('other writer adds keys meanwhile');
        return this.#tell?.(`somebody writes keys of their own on ${port.name}`);
      case 'delete':
        meet('VM deleted meanwhile');
        return this.#end(vm);
      case 'restart':
        meet('VM restarted meanwhile');
        this.#end(vm);
        return yield* this.#startAnew(vm, NODES);
      case 'crash':
        if (vm.vmi === undefined) return;
        meet('guest dies meanwhile');
        this.#crash(vm);
        yield long(choices);
        return this.#end(vm);
      case 'opt-out': {
        const { [OPT_IN_ANNOTATION]: _, ...rest } = vm.vmi?.metadata.annotations ?? {};
        meet('opted out meanwhile');
        this.#api.updateVmi(vm, {}, rest);
        return this.#tell?.(`the annotation is taken off ${vm.name}`);
      }
      case 'overwrite':
        if (recordOf(port.externalIds) === undefined) return;
        meet('other writer binds the port meanwhile');
        this.#promises.meddled.add(vm);
        port.options = { ...port.options, 'requested-chassis': chassisName(choices.pick(NODES)) };
        this.#northd();
        return this.#tell?.(`somebody binds ${port.name} to ${port.options['requested-chassis']}`);
      case 'chassis':
        meet('chassis gone meanwhile');
        return yield* this.#chassisOutage(choices.pick(NODES));
      case 'node': {
        const node = vm.guest;
        if (node === undefined) return;
        meet('node of the guest lost meanwhile');
        this.#tell?.(`node ${node} is lost`);
        // Its row in the southbound database stays, unless somebody takes it out.
        if (choices.chance(0.5)) this.#go(this.#chassisOutage(node));
        this.#crash(vm);
        yield long(choices);
        this.#end(vm);
        const others = NODES.filter((one) => one !== node);
        return yield* this.#startAnew(vm, others);
      }
    }
  }

  *#startAnew(vm: Vm, nodes: readonly string[]): Script {
    yield long(this.#choices);
    if (vm.vmi) return;
    vm.isSecond = true;
    this.#start(vm, this.#choices.pick(nodes), true);
    this.#tell?.(`${vm.name} starts anew on ${vm.guest}`);
  }

  /** The guest dies, and KubeVirt sees it. */
  #crash(vm: Vm): void {
    if (vm.vmi === undefined) return;
    vm.guest = undefined;
    this.#api.updateVmi(vm, { phase: 'Failed' });
    for (const vmim of vm.vmims) {
      if (!isFinal(vmim)) this.#api.updateVmim(vm, vmim.metadata.uid, { phase: 'Failed' });
    }
    this.#tell?.(`the guest of ${vm.name} dies`);
  }

  *#chassisOutage(node: string): Script {
    const { lost, unheard } = this.#promises;
    const name = chassisName(node);
    if (lost.has(name)) return;
    this.#ovn.chassis = this.#ovn.chassis.filter(({ hostname }) => hostname !== node);
    lost.set(name, Date.now());
    this.#northd();
    this.#tell?.(`chassis ${name} goes`);
    yield { until: () => false };
    this.#ovn.addChassis(node);
    lost.delete(name);
    for (const one of this.#vms) unheard.add(one);
    this.#tell?.(`chassis ${name} is back`);
  }

  #end(vm: Vm): void {
    this.#tell?.(`${vm.name} is deleted`);
    for (const { name } of vm.ports) this.#ovn.plugged.get(name)!.clear();
    this.#api.deleteVmi(vm);
  }

  #go(script: Script): void {
    const { value, done } = script.next();
    this.#promises.observe();
    this.#northd();
    if (done) return;
    if (typeof value === 'object') this.#waiting.push({ script, until: value.until });
    else
      this.#agenda.after(value, () => {
        if (this.#isFrozen) this.#waiting.push({ script, until: () => false });
        else this.#go(script);
      });
  }

  #wakeScripts(): void {
    // While the last sweep runs all stand still: what they do now it might just have missed.
    if (this.#isFrozen || this.#isCalm) return;
    if (!this.#waiting.some(({ until }) => until())) return;
    const ready = this.#waiting.filter(({ until }) => until());
    this.#waiting = this.#waiting.filter((waiting) => !ready.includes(waiting));
    for (const { script } of ready) this.#agenda.after(short(this.#choices), () => this.#go(script));
  }

  #northd(): void {
    if (this.#passIsDue) return;
    this.#passIsDue = true;
    this.#agenda.after(this.#choices.chance(0.02) ? 8_000 : 15, () => {
      this.#passIsDue = false;
      this.#ovn.pass();
    });
  }

  // Source, broker and functions.

  #publish(
    vm: Vm,
    kind: Kind,
    action: Action,
    object: {
      readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
      readonly spec?: object;
    },
  ): void {
    const steps = wantsOf(kind, action, object);
    // Of a VMI's updates nobody hears; what is written of the migration next makes the functions look.
    if (kind === 'VirtualMachineInstance' && action === 'update') this.#promises.untold.add(vm);
    else if (kind === 'VirtualMachineInstance' || steps.includes('disable-dual-chassis'))
      this.#promises.untold.delete(vm);
    for (const step of steps) {
      const event = {
        ...ENVELOPE,
        type: `dev.knative.apiserver.resource.${action}`,
        data: { ...TYPE_META[kind], ...object },
      };
      const times = this.#choices.chance(0.05) ? 2 : 1;
      if (times > 1) this.#met.add('event twice');
      if (this.#choices.chance(0.04) && this.#losesEvents && !this.#isCalm) {
        this.#promises.unheard.add(vm);
        this.#met.add('event lost');
        this.#tell?.(`${step} never hears of ${action} ${kind} ${object.metadata.name}`);
        continue;
      }
      for (let time = 0; time < times; time++) {
        const isLate = this.#choices.chance(0.1);
        if (isLate) this.#met.add('event late');
        const ms = isLate ? this.#choices.pick([100, 700, 2_500, 8_000, 30_000]) : 5 + this.#choices.below(20);
        this.#agenda.after(ms, () => this.#deliver(step, event, 0));
      }
    }
  }

  #deliver(step: FunctionName, event: object, attempt: number): void {
    const slot = `${step} ${this.#choices.chance(0.3) ? 1 : 0}`;
    let replica = this.#replicas.get(slot);
    if (replica === undefined || replica.isDead) {
      replica = new Replica(step, Number(slot.slice(-1)), this.#around);
      this.#replicas.set(slot, replica);
    }
    const again = () =>
      this.#agenda.after(BACKOFF_MS[attempt] ?? BACKOFF_MS.at(-1)!, () => this.#deliver(step, event, attempt + 1));
    // A chassis that is gone for good would have it come again for ever.
    const mayCome = attempt < 20;
    const { name } = replica;
    const heardAt = Date.now();
    // An event that leads to nothing is no part of the story.
    const tell = (what: string) => this.#tell?.(`${name} ${what} ${describe(event)}, heard at ${secondsOf(heardAt)} s`);
    const onDeath = () => {
      tell('dies on');
      again();
    };
    replica.onDeath.add(onDeath);
    this.#around.isTouched = true;
    void replica.answer(event).then(({ statusCode, body }) => {
      replica.onDeath.delete(onDeath);
      if (statusCode === 200) tell('answers 200 to');
      if (statusCode === 503) {
        tell(`answers 503 (${body}) to`);
        if (mayCome) again();
        else for (const vm of this.#vms) this.#promises.unheard.add(vm);
      }
      if (statusCode >= 400 && statusCode < 500) this.#promises.break(`${name} refuses a good event: ${body}`);
    });
  }
}

const ENVELOPE = { specversion: '1.0', id: '1', source: 'https://kubernetes' };
const TYPE_META: Record<Kind, object> = {
  Pod: { apiVersion: 'v1', kind: 'Pod' },
  VirtualMachineInstance: { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance' },
  VirtualMachineInstanceMigration: { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstanceMigration' },
};

function secondsOf(time: number): string {
  return ((time - START) / 1000).toFixed(3);
}

function ping(): object {
  return { ...ENVELOPE, type: 'dev.knative.sources.ping', data: {} };
}

function describe(event: object): string {
  const { type, data } = event as { type: string; data: { kind: string; metadata: { name: string } } };
  return `${type.split('.').at(-1)} ${data.kind} ${data.metadata.name}`;
}
