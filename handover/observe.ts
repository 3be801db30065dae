import { isPinned } from './decision/claim.ts';
import { desired, type FunctionName, isPartOf } from './decision/desired.ts';
import { type Facts, factsOf } from './decision/facts.ts';
import { needsHint } from './decision/gates.ts';
import { portHintOf, sameHint } from './decision/hint.ts';
import type { Observation } from './decision/observation.ts';
import { nodesOf, type Port } from './decision/port.ts';
import type { Profile } from './decision/profile.ts';
import { recordOf } from './decision/record.ts';
import type { Kubernetes } from './kubernetes/kubernetes.ts';
import type { KnownPorts, Northbound } from './ovn/northbound.ts';
import type { Southbound } from './ovn/southbound.ts';
import type { ReconcileRequest } from './request.ts';

/** What a function works with: all that does I/O, and what differs between installations. */
export interface World {
  readonly northbound: Northbound;
  readonly southbound: Southbound;
  readonly kubernetes: Kubernetes;
  readonly profile: Profile;
  readonly activationStrategy: string;
  sleep(ms: number): Promise<void>;
}

/** Searched ports are relied on later only if the facts came this soon after them. */
const MAX_SEARCH_MS = 1_000;

/**
 * The ports are read before the facts, and are written only if they still are what was read. So whoever decided on
 * newer facts in between makes the commit fail, and an old decision never overwrites a newer one.
 * @param seenTarget uid of the target pod that the facts showed before the ports are searched
 */
export async function observe(
  name: FunctionName,
  request: ReconcileRequest,
  world: World,
  seenTarget?: string,
): Promise<Observation> {
  const { vmi, hint, recorded } = request;
  const { northbound, southbound, kubernetes, profile } = world;
  const readAt = Date.now();
  const known = northbound.known(vmi);
  const uuids = recorded ?? known?.uuids ?? hint?.ports;
  const found = uuids && (await northbound.portsAt(uuids, vmi));
  const ports =
    found ?? (await northbound.searchPorts(vmi, profile.needsNetworks ? await kubernetes.networksOf(vmi) : []));
  const objects = await kubernetes.objectsOf(vmi);
  const facts = factsOf(objects, readAt);
  const target = facts.migration?.target?.pod;
  if (found !== undefined && !mayBeAll(found, { recorded, known, hint }, facts)) {
    northbound.forget(vmi);
    // What the target carries may be newer than what this process found earlier.
    const told = target && portHintOf(target);
    return observe(name, known && told ? { vmi, hint: told } : { vmi }, world, target?.metadata.uid);
  }
  if (found === undefined && target?.metadata.uid !== seenTarget && mayLackPorts(ports, facts)) {
    return observe(name, { vmi }, world, target?.metadata.uid);
  }
  // Ports that were searched long before the facts may not be all that there were when the migration began.
  const isPrompt = Date.now() - readAt < MAX_SEARCH_MS;
  const records = ports.map(({ options }) => recordOf(options));
  if ((recorded === undefined || found === undefined) && isPrompt) {
    const { migration = { uid: records[0]?.migration } } = facts;
    const isWhole = facts.migration === undefined || target !== undefined;
    northbound.remember(vmi, ports, { migration: migration.uid, target: target?.metadata.uid, isWhole });
  }

  const isRecorded = records.some((record) => record !== undefined);
  const wanted = ports.map((port, index) => ({ port, wanted: desired(facts, records[index], isRecorded) }));
  const own = wanted.filter((one) => one.wanted.binding !== 'leave' && isPartOf(name, one.wanted));
  const nodes = [...new Set(own.flatMap((one) => nodesOf(one.wanted)))];
  const isBindingNeeded =
    needsHint(name, facts) || own.some(({ port, wanted }) => wanted.binding === 'dual' || isPinned(port));
  const bindings = isBindingNeeded ? ports.map((port) => port.name) : [];
  const rows = (target && portHintOf(target)?.bindings) ?? hint?.bindings;
  const { migrations } = objects;
  return { vmi, facts, migrations, ports: wanted, southbound: await southbound.look(nodes, bindings, rows), readAt };
}

/**
 * Whether ports that were found where they were before can be all that matter now. A VM may get another interface before each
 * migration: so what is known, or hinted at, is good for one migration, and after it as long as its record is on the ports.
 */
function mayBeAll(
  found: readonly Port[],
  { recorded, known, hint }: Pick<ReconcileRequest, 'recorded' | 'hint'> & { readonly known: KnownPorts | undefined },
  { migration }: Facts,
): boolean {
  if (recorded !== undefined) return migration === undefined;
  if (known !== undefined) {
    if (migration) {
      const { uid, target } = migration;
      const told = (target && portHintOf(target.pod)?.ports.length) ?? 0;
      return uid === known.migration && target?.pod.metadata.uid === known.target && told <= found.length;
    }
    return known.isWhole && found.every(({ options }) => recordOf(options)?.migration === known.migration);
  }
  return hint !== undefined && sameHint(hint, migration?.target && portHintOf(migration.target.pod));
}

/** A target may come with another interface, whose port a search from before the target cannot have found. */
function mayLackPorts(ports: readonly Port[], { vmi, migration }: Facts): boolean {
  if (migration?.target === undefined) return false;
  const told = portHintOf(migration.target.pod)?.ports.length ?? Number.POSITIVE_INFINITY;
  // A VM has at most one port for each of its networks; of some it has none, as others than OVN carry them.
  const most = vmi?.networks ?? Number.POSITIVE_INFINITY;
  return ports.length < Math.min(told, most);
}
