// Generated from the JSON Schema of the same name: change that and run `npm run generate`.

/**
 * Data of the CloudEvents dev.ovn-handover.port.{reused,dual,pinned,released}, with which a function answers a change that it made.
 */
export interface PortChanged {
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
}

import type { ValidateFunction } from 'ajv';
declare const validate: ValidateFunction<PortChanged>;
export default validate;
