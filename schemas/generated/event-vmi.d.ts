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
 * Data of an ApiServerSource event about a VirtualMachineInstance: what is taken from it is its name.
 */
export interface VmiEventData {
  apiVersion: string;
  kind: "VirtualMachineInstance";
  metadata: {
    name: Name;
    namespace: Namespace;
  };
}

import type { ValidateFunction } from 'ajv';
declare const validate: ValidateFunction<VmiEventData>;
export default validate;
