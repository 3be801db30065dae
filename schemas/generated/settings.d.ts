// Generated from the JSON Schema of the same name: change that and run `npm run generate`.

/**
 * The environment of a function, checked at start.
 */
export type Environment = {
  /**
   * Which step this process serves.
   */
  FUNC_STEP: "reuse-port" | "enable-dual-chassis" | "disable-dual-chassis" | "release-port" | "reconcile";
  OVN_NB_REMOTE: Remote;
  OVN_SB_REMOTE: Remote;
  /**
   * File with our certificate, for ssl: remotes.
   */
  OVN_CERT?: string;
  /**
   * File with its private key.
   */
  OVN_KEY?: string;
  /**
   * File with the certificates that the servers' are checked by.
   */
  OVN_CA?: string;
  /**
   * Whose ports they are: how a VM's ports are found, and where a pod's network identity is written.
   */
  OVN_PROFILE?: "kube-ovn" | "generic";
  /**
   * Profile generic only: the name of a VM's logical switch port, with {vmi} and {namespace} filled in, and {network} where a VM has several; each once, between them one of . _ / : so that a name tells whose it is.
   */
  OVN_PORT_NAME?: string;
  /**
   * What opens the target's port: the guest's RARP, gratuitous ARP or unsolicited neighbour advertisement. Up to 25.03 ovn-controller knows only rarp.
   */
  OVN_ACTIVATION_STRATEGY?: "rarp" | "garp" | "na" | "rarp,garp" | "rarp,na" | "garp,na" | "rarp,garp,na";
  LOG_LEVEL?: "fatal" | "error" | "warn" | "info" | "debug" | "trace";
  /**
   * Port to listen on, in place of the PORT that Knative gives.
   */
  FUNC_PORT?: string;
};
/**
 * OVSDB remotes, comma-separated: unix:PATH, tcp:HOST:PORT or ssl:HOST:PORT.
 */
export type Remote = string;

import type { ValidateFunction } from 'ajv';
declare const validate: ValidateFunction<Environment>;
export default validate;
