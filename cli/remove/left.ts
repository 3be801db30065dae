import type { VmiReference } from '../../handover/decision/kubevirt.ts';
import { OPTION_KEYS } from '../../handover/decision/port.ts';
import type { Kind } from '../cluster/api.ts';

/** An object of ours that is there. */
export interface OwnObject {
  readonly kind: Kind;
  readonly name: string;
  readonly namespace?: string | undefined;
  /** It is being deleted, and somebody has still to let it go. */
  readonly isEnding: boolean;
}

/** What is left of an installation. */
export interface Left {
  /** The policy that puts gates on targets, and its binding. */
  readonly gates: readonly OwnObject[];
  /** VMs that opted in and migrate, or whose target our gates hold. */
  readonly migrating: readonly VmiReference[];
  /** Sources, Triggers and Broker. */
  readonly events: readonly OwnObject[];
  /** Services of Knative. */
  readonly functions: readonly OwnObject[];
  /** Names of pods of functions, which may be in the middle of a call. */
  readonly functionPods: readonly string[];
  /** VMs with our record on a port; `undefined` where OVN is not to be asked any more: its settings are gone. */
  readonly recorded: readonly VmiReference[] | undefined;
  /** Ports with our record that are no VM's by the settings: nobody can say whether they are at rest. */
  readonly strays: readonly string[];
  /** Pods and VMIMs with annotations of ours. */
  readonly annotated: readonly (OwnObject & { readonly annotations: readonly string[] })[];
  /** Roles, bindings and policies that are in no namespace. */
  readonly clusterObjects: readonly OwnObject[];
  readonly namespace: readonly OwnObject[];
}

/** What is to be done next; the same again until nothing is left of it. */
export type Step =
  | { readonly do: 'delete'; readonly what: string; readonly objects: readonly OwnObject[] }
  | { readonly do: 'sweep'; readonly what: string; readonly vms: readonly VmiReference[] }
  | { readonly do: 'wait'; readonly what: string }
  | { readonly do: 'give up'; readonly what: string }
  | { readonly do: 'clear annotations'; readonly what: string; readonly objects: Left['annotated'] };

/**
 * The first step that is not done yet; `undefined` when all are. The gates go first, or targets would wait for nobody; the
 * functions stay as long as a migration needs them; and the settings, without which OVN is not reached, go last. So it may end
 * anywhere and be begun again.
 */
export function nextStep(left: Left): Step | undefined {
  const { gates, migrating, events, functions, functionPods, recorded, strays, annotated, clusterObjects, namespace } =
    left;
  if (gates.length > 0) return remove('the scheduling gate', gates);
  const hasFunctions = functions.length > 0 && events.length > 0;
  if (hasFunctions && migrating.length > 0) return sweep('migrations to end', migrating);
  if (hasFunctions && recorded && recorded.length > 0) return sweep('ports to come to rest', recorded);
  if (events.length > 0) return remove('sources, Triggers and Broker', events);
  if (functions.length > 0) return remove('the functions', functions);
  if (functionPods.length > 0) return { do: 'wait', what: `the functions to end: ${functionPods.join(', ')}` };
  // A migration may have begun after the last look, and nobody but this command hears of it now.
  if (recorded && recorded.length > 0) return sweep('ports to come to rest', recorded);
  if (recorded && migrating.length > 0) return sweep('migrations to end', migrating);
  if (strays.length > 0) return { do: 'give up', what: strayText(strays) };
  if (annotated.length > 0) {
    return { do: 'clear annotations', what: `annotations of ${annotated.length} pods and VMIMs`, objects: annotated };
  }
  if (clusterObjects.length > 0) return remove('rights and policies', clusterObjects);
  if (namespace.length > 0) return remove('the namespace with settings and certificates', namespace);
  return undefined;
}

function strayText(ports: readonly string[]): string {
  const keys = OPTION_KEYS.join(' ');
  const commands = ports.map((port) => `ovn-nbctl remove Logical_Switch_Port ${port} options ${keys}`);
  return `${ports.join(', ')}: ports with our record that are no VM's by OVN_PROFILE and OVN_PORT_NAME. Where their VMs do not migrate: ${commands.join('; ')}`;
}

function remove(what: string, objects: readonly OwnObject[]): Step {
  const present = objects.filter(({ isEnding }) => !isEnding);
  if (present.length > 0) return { do: 'delete', what, objects: present };
  return { do: 'wait', what: `${what} to be gone: ${objects.map(({ name }) => name).join(', ')}` };
}

function sweep(what: string, vms: readonly VmiReference[]): Step {
  return { do: 'sweep', what: `${what}: ${vms.map(({ namespace, name }) => `${namespace}/${name}`).join(', ')}`, vms };
}
