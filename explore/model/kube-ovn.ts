import type { Choices } from '../choices.ts';
import type { Agenda } from '../clock.ts';
import type { ApiServer } from './api-server.ts';
import type { Port, PortColumns } from './northbound.ts';
import {
  type Action,
  hasEnded,
  IDENTITY_ANNOTATIONS,
  MIGRATION_NAME_ANNOTATION,
  NAMESPACE,
  ownerOf,
  type Pod,
} from './objects.ts';
import type { Vm } from './vm.ts';

/** What it writes, as its controller was seen to do it beside a real OVN. */
export type KubeOvnWrite = 'wipe' | 'strip' | 'external_ids from its cache' | 'options from its cache';

interface Surroundings {
  readonly api: ApiServer;
  readonly agenda: Agenda;
  readonly choices: Choices;
  onWrite(vm: Vm, port: Port, write: KubeOvnWrite, before: PortColumns): void;
}

const BOUND = ['requested-chassis', 'activation-strategy'];

/**
 * Kube-OVN's controller with `--enable-live-migration-optimize=false`: it leaves the bindings of a migration to us, but goes
 * on to write the rows that it made. It replaces whole columns, by what its cache has.
 */
export class KubeOvn {
  readonly #around: Surroundings;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** What it writes of a pod's network once it hears of a change. */
  podChanged(vm: Vm, action: Action, pod: Pod): void {
    if (action === 'delete') {
      this.#later(vm, () => this.#strip(vm));
      return;
    }
    const isTarget = pod.metadata.annotations[MIGRATION_NAME_ANNOTATION] !== undefined;
    // Whose pod it is it tells by the VMI that controls it; what has ended it leaves alone.
    if (!isTarget || hasEnded(pod) || ownerOf(pod) !== vm.vmi?.metadata.uid) return;
    this.#later(vm, () => {
      this.#wipe(vm);
      this.#annotate(vm, pod);
    });
  }

  /** A change of security groups, virtual IPs, virtual parents or arp_proxy, which have nothing to do with a migration. */
  changeUnrelated(vm: Vm): void {
    const { choices } = this.#around;
    const isOptions = choices.chance(0.5);
    this.#later(vm, () => {
      for (const port of vm.ports) {
        const { options, externalIds } = this.#cached(port);
        if (isOptions) {
          this.#write(vm, port, 'options from its cache', { options: { ...options, arp_proxy: String(Date.now()) } });
        } else {
          const ids = { ...externalIds, security_groups: String(Date.now()) };
          this.#write(vm, port, 'external_ids from its cache', { externalIds: ids });
        }
      }
    });
  }

  /** It allocates at once for whatever pod is a migration's target, also one that waits at a scheduling gate. */
  #annotate(vm: Vm, pod: Pod): void {
    const present = vm.podNow(pod);
    if (hasEnded(present) || 'ovn.kubernetes.io/allocated' in present.metadata.annotations) return;
    this.#around.api.annotatePod(vm, pod, IDENTITY_ANNOTATIONS);
  }

  /** Each update of a (former) target makes external_ids anew, and nothing that others have put there is in it. */
  #wipe(vm: Vm): void {
    for (const port of vm.ports) {
      const externalIds = { pod: `${NAMESPACE}/${vm.name}`, vendor: 'kube-ovn', ls: 'ovn-default' };
      this.#write(vm, port, 'wipe', { externalIds });
    }
  }

  /** The end of any launcher pod takes off the bindings, whoever has put them there. */
  #strip(vm: Vm): void {
    for (const port of vm.ports) {
      const { options } = this.#cached(port);
      if (options['requested-chassis'] === undefined) continue;
      const rest = Object.fromEntries(Object.entries(options).filter(([key]) => !BOUND.includes(key)));
      this.#write(vm, port, 'strip', { options: rest });
    }
  }

  #write(vm: Vm, port: Port, write: KubeOvnWrite, columns: Partial<PortColumns>): void {
    const { options, externalIds } = port;
    port.write(columns);
    this.#around.onWrite(vm, port, write, { options, externalIds });
  }

  #cached(port: Port): PortColumns {
    const { choices } = this.#around;
    return port.asOf(Date.now() - (choices.chance(0.3) ? choices.pick([20, 100, 500, 2_000, 5_000]) : 0));
  }

  /** It has a queue, and took 13 ms in the median from a change to what it writes of it. */
  #later(vm: Vm, work: () => void): void {
    const { agenda, choices } = this.#around;
    const vmi = vm.vmi?.metadata.uid;
    agenda.after(choices.chance(0.2) ? choices.pick([50, 200, 1_000, 3_000]) : 5 + choices.below(15), () => {
      if (vm.vmi?.metadata.uid === vmi) work();
    });
  }
}
