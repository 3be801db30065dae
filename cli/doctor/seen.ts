import type { StrategySupport } from '../../handover/decision/activation.ts';
import type { Port } from '../../handover/decision/port.ts';
import type { KubernetesObject } from '../cluster/api.ts';
import type { Conditioned } from '../cluster/conditions.ts';
import type { GateVersion } from '../cluster/kinds.ts';
import type { Data } from '../cluster/settings.ts';

/** What was read of one part, or why it could not be; `skipped` where another part says why. */
export type Read<Value> = { readonly value: Value } | { readonly problem: string } | { readonly skipped: true };

/** All that the checks look at; nothing here is judged. */
export type Seen = { readonly [Name in keyof Sections]: Read<Sections[Name]> };

export interface Sections {
  /** When it was read, ms since the epoch. */
  readonly now: number;
  readonly kubernetes: { readonly version: string; readonly gate: GateVersion | undefined };
  readonly kubevirts: readonly KubeVirt[];
  /** Kinds that are needed and not served, as `GROUP/VERSION plural`. */
  readonly missingKinds: readonly string[];
  readonly namespaces: readonly KubernetesObject[];
  readonly knative: {
    /** The ConfigMap config-network of Knative Serving. */
    readonly network: Data | undefined;
    readonly deployments: readonly Deployment[];
  };
  /** Kube-OVN's controller; `undefined` where there is none. */
  readonly kubeOvn: Deployment | undefined;
  readonly gate: Policy;
  readonly patchPolicies: readonly Policy[];
  /** Of the installation, or of what is about to be installed. */
  readonly settings: Data | undefined;
  readonly certificates: Data | undefined;
  /** The servers of OVN's databases, each by itself. */
  readonly members: readonly Member[];
  /** Version of the schema of OVN_Southbound. */
  readonly ovn: { readonly schema: string };
  readonly chassis: readonly ChassisRow[];
  readonly nodes: readonly KubernetesObject[];
  readonly services: readonly KnativeService[];
  readonly brokers: readonly Conditioned[];
  readonly triggers: readonly Conditioned[];
  readonly sources: readonly Source[];
  /** Deployments that Knative made for our sources. */
  readonly adapters: readonly Deployment[];
  readonly rights: readonly Right[];
  readonly vms: readonly Vm[];
  readonly probe: Probe;
}

/** Of admission: neither counts without the other. */
export interface Policy {
  readonly name: string;
  readonly hasPolicy: boolean;
  readonly hasBinding: boolean;
}

export interface KubeVirt extends KubernetesObject {
  readonly status?: { readonly phase?: string; readonly observedKubeVirtVersion?: string };
}

export interface Deployment extends KubernetesObject {
  readonly spec: {
    readonly replicas?: number;
    readonly template: {
      readonly spec: {
        readonly containers: readonly {
          readonly name: string;
          readonly args?: readonly string[];
          readonly env?: readonly { readonly name: string; readonly value?: string }[];
        }[];
      };
    };
  };
}

export interface KnativeService extends Conditioned {
  readonly spec: {
    readonly template: { readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> } };
  };
}

export interface Source extends Conditioned {
  readonly spec: { readonly namespaceSelector?: { readonly matchLabels?: Readonly<Record<string, string>> } };
}

/** One server of one database. */
export interface Member {
  readonly database: 'OVN_Northbound' | 'OVN_Southbound';
  readonly remote: string;
  /** Why it was not reached. */
  readonly problem?: string | undefined;
  /** What it says of the database; `undefined` where it has none of the name, or was not reached. */
  readonly row?:
    | { readonly isClustered: boolean; readonly isConnected: boolean; readonly isLeader: boolean }
    | undefined;
}

export interface ChassisRow {
  readonly name: string;
  readonly hostname: string;
  /** Of another availability zone (OVN-IC). */
  readonly isRemote: boolean;
  readonly strategySupport: StrategySupport;
}

/** What one of our ServiceAccounts has to be able to do. */
export interface Right {
  readonly account: string;
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly isAllowed: boolean;
}

export interface Interface {
  readonly name: string;
  readonly macAddress?: string;
  readonly bridge?: object;
  readonly masquerade?: object;
}

export interface Network {
  readonly name: string;
  readonly multus?: { readonly networkName: string };
}

/** A VMI that opted in. */
export interface Vm {
  readonly namespace: string;
  readonly name: string;
  readonly isOwnedByVm: boolean;
  readonly interfaces: readonly Interface[];
  readonly networks: readonly Network[];
  /** `undefined` where OVN was not asked. */
  readonly ports: readonly Port[] | undefined;
}

/** An event that was sent to the broker, for `reconcile` to answer with a sweep. */
export type Probe =
  | { readonly is: 'left out'; readonly why: string }
  | { readonly is: 'not taken'; readonly why: string }
  | { readonly is: 'unanswered'; readonly seconds: number; readonly lastLine: string | undefined }
  | { readonly is: 'answered'; readonly ms: number; readonly line: string };
