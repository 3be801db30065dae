// Generated from the JSON Schema of the same name: change that and run `npm run generate`.

/**
 * RFC 1123 subdomain
 */
export type Name = string;
/**
 * RFC 1123 label
 */
export type Namespace = string;

/**
 * Data of an ApiServerSource event about a VirtualMachineInstanceMigration: what is taken from it is which VMI it is about.
 */
export interface MigrationEventData {
  apiVersion: string;
  kind: "VirtualMachineInstanceMigration";
  metadata: {
    name: Name;
    namespace: Namespace;
  };
  spec: {
    vmiName: Name;
  };
}

import type { ValidateFunction } from 'ajv';
declare const validate: ValidateFunction<MigrationEventData>;
export default validate;
