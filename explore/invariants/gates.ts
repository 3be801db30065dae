import type { Port } from '../model/northbound.ts';
import { GATES, gatesOf, hasEnded, OPT_IN_ANNOTATION, ownerOf, type Pod, VMI_NAME_LABEL } from '../model/objects.ts';
import type { Southbound } from '../model/southbound.ts';
import type { Vm } from '../model/vm.ts';
import type { CommitInvariants } from './commits.ts';
import { MAX_FACTS_AGE_MS, requestedOf } from './truth.ts';

/** Whose each gate is; `reconcile` may do what any function may. */
const KEEPERS: Readonly<Record<string, string>> = {
  [GATES[0]]: 'reuse-port',
  [GATES[1]]: 'enable-dual-chassis',
};

/** When a target pod may be let go. */
export class GateInvariants {
  /** When each pod's last gate of ours was taken off. */
  readonly openedAt = new Map<string, number>();
  readonly #vms: readonly Vm[];
  readonly #southbound: Southbound;
  readonly #commits: CommitInvariants;
  readonly #break: (what: string) => void;

  constructor(vms: readonly Vm[], southbound: Southbound, commits: CommitInvariants, onBroken: (what: string) => void) {
    this.#vms = vms;
    this.#southbound = southbound;
    this.#commits = commits;
    this.#break = onBroken;
  }

  /** @param by the name of the function whose patch of a pod is about to be carried out */
  patched(by: string, pod: Pod, { spec }: Partial<Pod>, sentAt: number): void {
    if (spec?.schedulingGates === undefined) return;
    const left = spec.schedulingGates.map(({ name }) => name);
    const opened = gatesOf(pod).filter((name) => !left.includes(name));
    if (left.some((name) => !gatesOf(pod).includes(name))) this.#break(`a gate was put on pod ${pod.metadata.uid}`);
    if (left.length === 0) this.openedAt.set(pod.metadata.uid, Date.now());
    const vm = this.#vms.find(({ pods }) => pods.includes(pod));
    if (opened.length === 0 || vm === undefined || !this.#isHeldForUs(vm, pod, sentAt)) return;

    const strange = opened.find((name) => by !== 'reconcile' && KEEPERS[name] !== by);
    if (strange !== undefined)
      this.#break(`${by} took the gate ${strange} off pod ${pod.metadata.uid}, which is not its own`);
    if (left.length > 0) return;
    const source = this.#southbound.chassisOf(vm.now.node!);
    // What somebody else has bound a port to is theirs to answer for, until the next look of a function that binds it.
    const isLoose = (port: Port) => requestedOf(port) === '' || this.#commits.isAsWritten(port);
    const loose = vm.ports.find((port) => requestedOf(port).split(',')[0] !== source && isLoose(port));
    const recently = sentAt - MAX_FACTS_AGE_MS;
    if (loose && source !== undefined && !this.#commits.neighbourWroteSince(vm, recently)) {
      const bound = requestedOf(loose) || 'nothing';
      this.#break(
        `target pod ${pod.metadata.uid} was let go while ${loose.name} is bound to ${bound}, not to ${source}`,
      );
    }
  }

  /** Target pods that wait at a gate of ours, though they may go. */
  waiting(vm: Vm): readonly Pod[] {
    const isDeleting = (pod: Pod) => pod.metadata.uid === vm.migration?.pod && vm.now.migration?.deleting;
    return vm.pods.filter(
      (pod) => gatesOf(pod).length > 0 && !hasEnded(pod) && !isDeleting(pod) && ownerOf(pod) === vm.vmi?.metadata.uid,
    );
  }

  /** Whether there is a hand-over to wait for, and has been for as long as anybody could have looked. */
  #isHeldForUs(vm: Vm, pod: Pod, sentAt: number): boolean {
    const { uid } = vm.now;
    if (vm.ports.length === 0 || pod.metadata.annotations[OPT_IN_ANNOTATION] === undefined) return false;
    if (uid === undefined || ownerOf(pod) !== uid || vm.migration?.pod !== pod.metadata.uid) return false;
    const vmim = vm.vmims.find(({ metadata }) => metadata.uid === vm.migration?.uid);
    if (vmim === undefined || !(VMI_NAME_LABEL in vmim.metadata.labels)) return false;
    return (
      vm
        .since(sentAt - MAX_FACTS_AGE_MS - 500)
        .every(
          (moment) =>
            moment.uid === uid &&
            moment.optedIn &&
            moment.node === vm.now.node &&
            !moment.migration?.deleting &&
            (moment.migration === undefined || !moment.migration.switched),
        ) &&
      vm.now.migration !== undefined &&
      !vm.now.migration.targetEnded
    );
  }
}
