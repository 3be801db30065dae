import type { Port } from './northbound.ts';
import type { Pod, Vmi, Vmim } from './objects.ts';

/** What holds of a VM from a moment on: what Kubernetes says of it, and where its guest really is. */
export interface Moment {
  readonly from: number;
  /** Of the VMI, unless that is final. */
  readonly uid: string | undefined;
  /** Of the VMI, final or not. */
  readonly vmi: string | undefined;
  readonly optedIn: boolean;
  /** VMI.status.nodeName */
  readonly node: string | undefined;
  /** Where the guest runs; `undefined` if nowhere. */
  readonly guest: string | undefined;
  /** The migration that KubeVirt is at, until it calls that final. */
  readonly migration: MigrationMoment | undefined;
}

export interface MigrationMoment {
  readonly uid: string;
  /** By KubeVirt's label, or by its target pod: one without either is found by chance. */
  readonly isFound: boolean;
  /** spec.nodeName of its target pod. */
  readonly target: string | undefined;
  /** The target pod has ended, is being deleted, or is not there yet. */
  readonly targetEnded: boolean;
  /** The pod that the guest migrates from has ended: only a switch or a crash does that. */
  readonly sourceEnded: boolean;
  readonly deleting: boolean;
  /** Kubernetes shows that memory is being copied. Before that the pod's own kernel may answer for the guest's address. */
  readonly copying: boolean;
  /** Kubernetes shows that the guest runs on the target. */
  readonly switched: boolean;
}

/** One VM: its objects in Kubernetes, its ports, its taps, and what was true of it when. */
export class Vm {
  readonly name: string;
  readonly ports: Port[];
  vmi: Vmi | undefined;
  vmims: readonly Vmim[] = [];
  pods: readonly Pod[] = [];
  guest: string | undefined;
  /** The pod that the guest runs in. */
  guestPod: string | undefined;
  /** The migration that KubeVirt is at, or was at last. */
  migration: { readonly uid: string; pod: string | undefined } | undefined;
  /** Nodes on which pods have their taps plugged in, by the uid of the pod. */
  readonly taps = new Map<string, string>();
  /** Where its last migration that succeeded came from, and when that ended. */
  cameFrom: string | undefined;
  cameAt = 0;
  /** An earlier VMI had its name. */
  isSecond = false;
  readonly history: Moment[] = [];

  constructor(name: string, ports: Port[]) {
    this.name = name;
    this.ports = ports;
  }

  /** Moments that overlap the time since `from`. */
  since(from: number): readonly Moment[] {
    const first = this.history.findLastIndex((moment) => moment.from <= from);
    return this.history.slice(Math.max(first, 0));
  }

  get now(): Moment {
    return this.history.at(-1)!;
  }

  get pluggedNodes(): ReadonlySet<string> {
    return new Set(this.taps.values());
  }

  /** The pod as it is now; as it was, where it is gone. */
  podNow(pod: Pod): Pod {
    return this.pods.find(({ metadata }) => metadata.uid === pod.metadata.uid) ?? pod;
  }
}
