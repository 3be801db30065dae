// Generated from the JSON Schema of the same name: change that and run `npm run generate`.

/**
 * RFC 3339, UTC, with milliseconds
 */
export type Time = string;

/**
 * How one migration went: the annotation ovn-handover.dev/history of its VMIM. What is not there was not seen. A VM's ports are: pinned (to the source alone, the target pod may plug in), dual (bound to source and target), pinnedToTarget, or pinnedBack (to the source, because the migration has failed), and released (bound to nothing, as before). ungated: the last of our scheduling gates was taken off the target pod. switched: the guest began to run on the target, of which KubeVirt tells the second, and the event that brought it the rest; without that it ends in .000Z.
 */
export interface MigrationRecord {
  /**
   * node that the guest came from
   */
  source?: string;
  /**
   * node that it was to go to
   */
  target?: string;
  pinned?: Moment;
  ungated?: Moment;
  dual?: Moment;
  switched?: Moment;
  pinnedToTarget?: Moment;
  pinnedBack?: Moment;
  released?: Moment;
  /**
   * from dual to switched
   */
  marginMs?: number;
  /**
   * each reason of a Warning that was recorded on the VMI, once, in the order of time
   *
   * @maxItems 32
   */
  warnings?: {
    /**
     * such as PortNotDualInTime
     */
    reason: string;
    at: Time;
  }[];
}
/**
 * when something was first so
 */
export interface Moment {
  at: Time;
  /**
   * the function that did it, or was the first to see it
   */
  by?: string;
  /**
   * from when the event that woke that function was sent until it began to work
   */
  lateMs?: number;
}

import type { ValidateFunction } from 'ajv';
declare const validate: ValidateFunction<MigrationRecord>;
export default validate;
