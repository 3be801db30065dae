import type { Chassis, GuestInterface, VmDescription } from '../testbed/description.ts';

/** The network of a launcher pod on its node: all its plugs. */
export interface PodNetwork {
  readonly chassis: Chassis;
  readonly vm: VmDescription;
  readonly interfaces: readonly PodInterface[];
  /** Folder of the pod's guest. */
  readonly directory: string;
}

/** Its port is named after the VMI, not after the pod, so that each pod of a VMI has the same. */
export interface PodInterface extends GuestInterface {
  readonly tap: string;
}
