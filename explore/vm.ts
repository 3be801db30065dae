import type { Pod, VirtualMachineInstance, VirtualMachineInstanceMigration } from '../handover/decision/kubevirt.ts';
import type { LogicalSwitchPort } from './ovn.ts';

/** What holds of a VM from a moment on: what Kubernetes tells of it, and where its guest really is. */
export interface Moment {
  readonly from: number;
  readonly uid: string | undefined;
  readonly optedIn: boolean;
  /** By VMI.status.nodeName. */
  readonly node: string | undefined;
  /** Where the guest runs; `undefined` if nowhere. */
  readonly guest: string | undefined;
  readonly migration:
    | { readonly uid: string; readonly target: string | undefined; readonly ended: boolean; readonly switched: boolean }
    | undefined;
}

/** One VM: its objects in Kubernetes, its ports, and what was true of it when. */
export class Vm {
  readonly name: string;
  readonly ports: readonly LogicalSwitchPort[];
  vmi: VirtualMachineInstance | undefined;
  vmims: VirtualMachineInstanceMigration[] = [];
  pods: Pod[] = [];
  guest: string | undefined;
  /** The migration that KubeVirt is at. */
  migration: { uid: string; pod: string | undefined } | undefined;
  /** Where its last migration that succeeded came from, and when that ended. */
  cameFrom: string | undefined;
  cameAt = 0;
  /** Whether an earlier VMI had its name. */
  isSecond = false;
  /** Since when its ports are bound by what has been overtaken, if they are. */
  overtakenSince: number | undefined;
  readonly history: Moment[] = [];

  constructor(name: string, ports: readonly LogicalSwitchPort[]) {
    this.name = name;
    this.ports = ports;
  }

  /** Moments that overlap the time since `from`. */
  since(from: number): Moment[] {
    const first = this.history.findLastIndex((moment) => moment.from <= from);
    return this.history.slice(Math.max(first, 0));
  }

  get last(): Moment {
    return this.history.at(-1)!;
  }
}
