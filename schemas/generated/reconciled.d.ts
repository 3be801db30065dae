// Generated from the JSON Schema of the same name: change that and run `npm run generate`.

/**
 * Data of the CloudEvent dev.ovn-handover.reconciled: what a sweep looked at, what it changed and what it could not.
 */
export interface Reconciled {
  /**
   * number of VMs
   */
  looked: number;
  /**
   * as in dev.ovn-handover.port.* events
   */
  changed: {
    vmi: {
      namespace: string;
      name: string;
      uid?: string;
    };
    /**
     * uid of the VMIM that the change belongs to
     */
    migration?: string;
    /**
     * names of the launcher pods that were made ready for the scheduler
     */
    ungatedPods?: string[];
    ports: {
      name: string;
      uuid: string;
      /**
       * the rule of the binding table that called for it
       */
      rule: string;
      binding: "unbound" | "pinned" | "dual";
      requestedChassis?: string;
      activationStrategy?: string;
    }[];
  }[];
  failed: {
    namespace: string;
    name: string;
    why: string;
  }[];
}

import type { ValidateFunction } from 'ajv';
declare const validate: ValidateFunction<Reconciled>;
export default validate;
