import * as events from './checks/events.ts';
import * as ovn from './checks/ovn.ts';
import * as platform from './checks/platform.ts';
import * as settings from './checks/settings.ts';
import * as vms from './checks/vms.ts';
import type { Check, Finding, Stage } from './finding.ts';
import type { Seen } from './seen.ts';

/** In the order in which one thing builds on another. */
const CHECKS: readonly Check[] = [
  platform.kubernetes,
  platform.kinds,
  platform.kubevirt,
  platform.knative,
  platform.mesh,
  platform.replicas,
  ovn.optimiser,
  settings.settings,
  settings.certificates,
  ovn.databases,
  ovn.version,
  ovn.chassis,
  ovn.strategy,
  events.functions,
  events.brokers,
  events.triggers,
  events.sources,
  events.adapterEnvironment,
  events.rights,
  events.patchPolicies,
  platform.gate,
  vms.interfaces,
  vms.ports,
  vms.addresses,
  vms.besideKubeOvn,
  vms.heard,
  events.way,
];

export interface Checked {
  readonly title: string;
  /** `undefined`: there was nothing to look at, and another check says why. */
  readonly findings: readonly Finding[] | undefined;
}

/** Runs the checks that apply to what there is. */
export function examine(seen: Seen, stages: readonly Stage[]): readonly Checked[] {
  const applies = ({ appliesTo }: Check) => appliesTo.length === 0 || appliesTo.some((stage) => stages.includes(stage));
  return CHECKS.filter(applies).map((check) => ({ title: check.title, findings: check.run(seen) }));
}
