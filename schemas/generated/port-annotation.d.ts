// Generated from the JSON Schema of the same name: change that and run `npm run generate`.

/**
 * The annotation ovn-handover.dev/port of a migration's target pod, as JSON, for the CNI plug-in of a plain OVN (docs/cni.md): the logical switch port that the pod is to be, or, where OVN_PORT_NAME has {network} in it, one for each of the VM's networks by its name (spec.networks[].name of the VMI).
 */
export type PortAnnotation =
  | PortIdentity
  | {
      [k: string]: PortIdentity;
    };

export interface PortIdentity {
  /**
   * name of the logical switch port, for external_ids:iface-id of the interface
   */
  ifaceId: string;
  mac: string;
  /**
   * IPv4 and IPv6 addresses, as the port has them in OVN; none where OVN does not know them
   */
  ips: string[];
}

import type { ValidateFunction } from 'ajv';
declare const validate: ValidateFunction<PortAnnotation>;
export default validate;
