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
 * Data of an ApiServerSource event about a Pod: what is taken from it is which VMI controls it, and the hint where its ports are.
 */
export interface PodEventData {
  apiVersion: "v1";
  kind: "Pod";
  metadata: {
    name: Name;
    namespace: Namespace;
    annotations?: {
      [k: string]: string;
    };
    ownerReferences?: {
      apiVersion: string;
      kind: string;
      name: Name;
      uid: string;
      controller?: boolean;
    }[];
  };
}

import type { ValidateFunction } from 'ajv';
declare const validate: ValidateFunction<PodEventData>;
export default validate;
