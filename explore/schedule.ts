import { Broker, hasFailed, type OnAnswered } from './broker.ts';
import type { Choices } from './choices.ts';
import { Agenda, START, setClock } from './clock.ts';
import type { CoveragePoint } from './coverage.ts';
import { type Delivery, deliveriesOf, describe, sweepDeliveries } from './eventing.ts';
import { Invariants } from './invariants/invariants.ts';
import { Lives } from './lives.ts';
import { runMicrotasks } from './microtasks.ts';
import { ApiServer } from './model/api-server.ts';
import { KubeOvn, type KubeOvnWrite } from './model/kube-ovn.ts';
import { Northbound, type Port, type PortColumns } from './model/northbound.ts';
import { type Action, type Kind, type KubernetesObject, NAMESPACE, type Pod } from './model/objects.ts';
import { type Script, short } from './model/pace.ts';
import { RestApi } from './model/rest.ts';
import { Southbound } from './model/southbound.ts';
import { Vm } from './model/vm.ts';
import { coverWrite } from './neighbours.ts';

const NODES = ['a', 'b', 'c'];
/** More entries than any schedule comes to that comes to an end. */
const MAX_STEPS = 60_000;
const SWEEP_MS = 120_000;
/** A pod that ended just now has been gone for a minute after this. */
const REST_MS = 63_000;

/**
 * Runs one schedule: random VMs with random lives, any number of processes, and everything that can go wrong between them.
 * @param story takes one line for each thing that happens
 * @param covered takes the points that it came across
 * Must be called from outside of any promise's callback.
 * @returns the invariant that was broken, if one was
 */
export function runSchedule(
  choices: Choices,
  story?: string[],
  covered = new Set<CoveragePoint>(),
): string | undefined {
  setClock(START);
  return new Schedule(choices, story, covered).run();
}

class Schedule {
  readonly #agenda = new Agenda();
  readonly #choices: Choices;
  readonly #cover: (point: CoveragePoint) => void;
  /** Absent where nobody listens, so that no line is made for nothing. */
  readonly #narrate: ((line: string) => void) | undefined;
  readonly #northbound = new Northbound();
  readonly #southbound = new Southbound();
  readonly #vms: Vm[] = [];
  readonly #invariants: Invariants;
  readonly #kubeOvn: KubeOvn;
  readonly #broker: Broker;
  readonly #network: { isTouched: boolean };
  readonly #lives: Lives;
  /** Scripts that wait for something that others do. */
  #waiting: { readonly script: Script; readonly until: () => boolean }[] = [];
  /** KubeVirt stands still: what is wrong now is not put right by what it would have done next. */
  #isFrozen = false;
  /** Nothing goes wrong any more: what is wrong now has to become right. */
  #isCalm = false;
  readonly #losesEvents: boolean;
  #passIsDue = false;
  #steps = 0;

  constructor(choices: Choices, story: string[] | undefined, covered: Set<CoveragePoint>) {
    this.#choices = choices;
    this.#cover = (point) => covered.add(point);
    this.#narrate = story && ((line) => story.push(`${secondsOf(Date.now()).padStart(9)} s  ${line}`));
    for (const node of NODES) this.#southbound.addChassis(`chassis-${node}`, node);
    if (choices.chance(0.1)) {
      this.#cover('remote chassis of the same hostname');
      this.#southbound.addChassis('elsewhere-a', 'a', { 'is-remote': 'true' });
    }
    for (let number = 0; number < (choices.chance(0.2) ? 2 : 1); number++) {
      const vm = new Vm(`vm${number}`, []);
      this.#vms.push(vm);
      if (choices.chance(0.03)) this.#cover('VM without ports');
      else for (let nic = choices.chance(0.3) ? 2 : 1; nic > 0; nic--) this.#addPort(vm);
    }
    this.#southbound.addBinding(this.#northbound.addPort('router-port', { vendor: 'kube-ovn' }), undefined);
    this.#invariants = new Invariants(this.#vms, this.#southbound);
    this.#southbound.missesClaim = (vm) => this.#missesClaim(vm);
    const api = new ApiServer(this.#vms, (vm, kind, action, object) => this.#publish(vm, kind, action, object));
    const rest = new RestApi(api);
    this.#losesEvents = choices.chance(0.4);
    const hasFaults = choices.chance(0.8);
    const common = {
      agenda: this.#agenda,
      choices,
      northbound: this.#northbound,
      southbound: this.#southbound,
      api,
      rest,
      invariants: this.#invariants,
      narrate: this.#narrate,
      cover: this.#cover,
    };
    const network = {
      ...common,
      isTouched: false,
      isFaulty: () => hasFaults && !this.#isCalm,
      disturb: () => this.#disturb(),
      onNorthboundChange: () => this.#northd(),
    };
    this.#network = network;
    this.#broker = new Broker(network);
    this.#kubeOvn = new KubeOvn({ ...common, onWrite: (...write) => this.#neighbourWrote(...write) });
    this.#lives = new Lives({
      ...common,
      vms: this.#vms,
      nodes: NODES,
      gates: !choices.chance(0.15),
      kubeOvn: this.#kubeOvn,
      addPort: (vm) => this.#addPort(vm),
      loseChassis: (node) => this.#go(this.#lives.chassisOutage(node)),
      after: (ms, act) =>
        this.#agenda.after(ms, () => {
          act();
          this.#northd();
        }),
      go: (script) => this.#go(script),
      onSwitch: (vm) => this.#invariants.switched(vm),
      onNorthboundWrite: (vm, port, before) => this.#neighbourHasWritten(vm, port, before),
    });
  }

  run(): string | undefined {
    for (const vm of this.#vms) this.#lives.begin(vm);
    this.#agenda.after(this.#choices.below(SWEEP_MS), () => this.#tick(), true);
    if (this.#choices.chance(0.3)) {
      this.#agenda.after(this.#choices.below(20_000), () => {
        this.#isFrozen = true;
      });
    }
    for (let round = 0; round < 12; round++) {
      this.#runDry();
      if (this.#invariants.broken) return this.#invariants.broken;
      this.#narrate?.('all is quiet');
      this.#invariants.atRest(false);
      this.#comeToRest();
      this.#invariants.atRest(true);
      if (this.#invariants.broken) return this.#invariants.broken;
      if (!this.#isFrozen && this.#waiting.length === 0) return undefined;
      this.#isFrozen = false;
      for (const { script } of this.#waiting.splice(0)) this.#go(script);
    }
    return 'the schedule does not come to an end';
  }

  /** Liveness: without any more faults, one sweep makes everything right, whatever came before. */
  #comeToRest(): void {
    this.#isCalm = true;
    this.#agenda.after(REST_MS, () => {});
    this.#runDry();
    let isAnswered = false;
    this.#sweep(() => {
      isAnswered = true;
    });
    this.#runDry();
    if (!isAnswered) this.#invariants.break('the sweep does not come to an end');
    this.#isCalm = false;
    this.#invariants.unheard.clear();
    this.#invariants.silent.clear();
  }

  /** The two minutes are over, whatever is going on. */
  #tick(): void {
    this.#agenda.after(SWEEP_MS, () => this.#tick(), true);
    if (this.#vms.some((vm) => vm.now.migration)) this.#cover('sweep meanwhile');
    if (this.#losesEvents && !this.#isCalm && this.#choices.chance(0.04)) {
      this.#cover('sweep lost');
      return;
    }
    this.#sweep();
  }

  #sweep(onAnswered: () => void = () => {}): void {
    this.#narrate?.('the time for a sweep has come');
    for (const delivery of sweepDeliveries()) {
      this.#broker.deliver({ ...delivery, vms: this.#vms }, (parcel, answer) => {
        this.#answered(parcel, answer);
        onAnswered();
      });
    }
  }

  /** Goes on until nothing is under way. */
  #runDry(): void {
    this.#letRun();
    while (this.#invariants.broken === undefined && this.#agenda.step()) {
      this.#letRun();
      if (++this.#steps > MAX_STEPS) this.#invariants.break('the schedule does not come to an end');
      if (this.#waiting.length > 0) this.#wakeScripts();
    }
  }

  #letRun(): void {
    if (!this.#network.isTouched) return;
    this.#network.isTouched = false;
    runMicrotasks();
  }

  #go(script: Script): void {
    const { value, done } = script.next();
    this.#invariants.observe();
    this.#northd();
    if (done) return;
    if (typeof value === 'object') this.#waiting.push({ script, until: value.until });
    else
      this.#agenda.after(value, () => {
        if (this.#isFrozen || this.#isCalm) this.#waiting.push({ script, until: () => false });
        else this.#go(script);
      });
  }

  #wakeScripts(): void {
    // While all comes to rest, all stand still: what they did now a sweep might just have missed.
    if (this.#isFrozen || this.#isCalm) return;
    if (!this.#waiting.some(({ until }) => until())) return;
    const ready = this.#waiting.filter(({ until }) => until());
    this.#waiting = this.#waiting.filter((waiting) => !ready.includes(waiting));
    for (const { script } of ready) this.#agenda.after(short(this.#choices), () => this.#go(script));
  }

  // Open vSwitch and its neighbours.

  #addPort(vm: Vm): void {
    const nic = vm.ports.length === 0 ? '' : '.second';
    const port = this.#northbound.addPort(`${vm.name}.${NAMESPACE}${nic}`, {
      pod: `${NAMESPACE}/${vm.name}`,
      vendor: 'kube-ovn',
    });
    vm.ports.push(port);
    this.#southbound.addBinding(port, vm);
  }

  #northd(): void {
    if (this.#passIsDue) return;
    this.#passIsDue = true;
    const isSlow = !this.#isCalm && this.#choices.chance(0.02);
    if (isSlow) this.#disturb();
    this.#agenda.after(isSlow ? 8_000 : 15, () => {
      this.#passIsDue = false;
      this.#southbound.pass();
      this.#invariants.observe();
    });
  }

  #missesClaim(vm: Vm | undefined): boolean {
    if (vm === undefined || this.#isCalm || !this.#choices.chance(0.05)) return false;
    this.#cover('claim missed by OVN');
    this.#narrate?.(`an ovn-controller does not claim a port of ${vm.name} that was handed over to it`);
    this.#invariants.commits.credit(vm);
    return true;
  }

  #neighbourWrote(vm: Vm, port: Port, write: KubeOvnWrite, before: PortColumns): void {
    coverWrite({ vm, port, write, before: before.options, southbound: this.#southbound }, this.#cover);
    this.#narrate?.(`Kube-OVN writes ${port.name} (${write}): ${port.options['requested-chassis'] ?? 'nothing'}`);
    this.#neighbourHasWritten(vm, port, before.options);
  }

  #neighbourHasWritten(vm: Vm, port: Port, before: Port['options']): void {
    this.#invariants.neighbourWrote(vm, port, before);
    this.#northd();
  }

  // Source, broker and functions.

  #publish(vm: Vm, kind: Kind, action: Action, object: KubernetesObject): void {
    this.#invariants.commits.noteChange(vm);
    if (kind === 'Pod') this.#kubeOvn.podChanged(vm, action, object as Pod);
    const deliveries = deliveriesOf(kind, action, object);
    // Of a VMI's updates nobody hears; what is written of the migration next makes the functions look.
    if (kind === 'VirtualMachineInstance' && action === 'update') this.#invariants.silent.add(vm);
    else if (kind === 'VirtualMachineInstance' || deliveries.some(({ step }) => step === 'disable-dual-chassis')) {
      this.#invariants.silent.delete(vm);
    }
    for (const delivery of deliveries) this.#bring(vm, delivery);
  }

  #bring(vm: Vm, delivery: Delivery): void {
    const times = this.#choices.chance(0.05) ? 2 : 1;
    if (times > 1) this.#cover('event twice');
    if (this.#choices.chance(0.04) && this.#losesEvents && !this.#isCalm) {
      this.#invariants.excuse(vm);
      this.#disturb();
      this.#cover('event lost');
      this.#narrate?.(`${delivery.step} never hears of ${describe(delivery)}`);
      return;
    }
    for (let time = 0; time < times; time++) {
      const isLate = this.#choices.chance(0.1);
      if (isLate) this.#cover('event late');
      const ms = isLate ? this.#choices.pick([100, 700, 2_500, 8_000, 30_000]) : 5 + this.#choices.below(20);
      if (isLate && times === 1) this.#disturb(ms);
      this.#agenda.after(ms, () => {
        this.#broker.deliver({ ...delivery, vms: [vm] }, (parcel, answer) => this.#answered(parcel, answer));
      });
    }
  }

  readonly #answered: OnAnswered = ({ step, vms }, answer) => {
    if (answer === undefined) {
      for (const vm of vms) this.#invariants.excuse(vm);
      return;
    }
    if (step !== 'reconcile' || hasFailed(answer.body)) return;
    for (const vm of vms) this.#invariants.reconciled(answer.by, vm, answer.startedAt);
  };

  #disturb(ms = 0): void {
    this.#invariants.disturbedAt = Math.max(this.#invariants.disturbedAt, Date.now() + ms);
  }
}

function secondsOf(time: number): string {
  return ((time - START) / 1000).toFixed(3);
}
