import { type FunctionName, RULES, type Rule } from '../../handover/decision/desired.ts';
import { gatesOf, type VmiReference } from '../../handover/decision/kubevirt.ts';
import type { Observation } from '../../handover/decision/observation.ts';
import { recordOf } from '../../handover/decision/record.ts';
import type { World } from '../../handover/observe.ts';
import { FUNCTIONS } from '../cluster/installation.ts';
import { planOf } from '../status/look.ts';
import { changeLine, releaseLine } from '../status/vm-status.ts';
import { rulesTried, type TriedRule } from './rules.ts';

/** Why a VM's ports are, or will be, as they are. */
export interface Explanation {
  readonly vmi: VmiReference;
  /** What Kubernetes says, a line for each fact. */
  readonly facts: readonly { readonly what: string; readonly is: string }[];
  readonly ports: readonly {
    readonly name: string;
    readonly uuid: string;
    readonly options: Readonly<Record<string, string>>;
    readonly rule: Rule;
    readonly why: string;
    readonly tried: readonly TriedRule[];
    /** Of the southbound database. */
    readonly claimedBy: readonly string[];
  }[];
  /** What each function would do now; none where it would do nothing. */
  readonly functions: readonly {
    readonly name: FunctionName;
    readonly writes: readonly {
      readonly port: string;
      readonly options: Readonly<Record<string, string>>;
      readonly line: string;
    }[];
    readonly ungates: readonly { readonly pod: string; readonly gates: readonly string[]; readonly line: string }[];
    readonly warnings: readonly string[];
    /** Why it would look again, or ask the broker to come again. */
    readonly again?: string | undefined;
  }[];
}

export function explanationOf(
  observed: Observation,
  world: Pick<World, 'profile' | 'activationStrategy'>,
): Explanation {
  const { vmi, facts, ports, southbound } = observed;
  const isRecorded = ports.some(({ port }) => recordOf(port.options) !== undefined);
  const chassisNames = new Map([...southbound.chassis.values()].flat().map(({ uuid, name }) => [uuid, name]));
  return {
    vmi,
    facts: factLines(observed),
    ports: ports.map(({ port, wanted }) => {
      const binding = southbound.bindings.get(port.name);
      const claimed = binding ? [binding.chassis, ...binding.additionalChassis] : [];
      return {
        name: port.name,
        uuid: port.uuid,
        options: port.options,
        rule: wanted.rule,
        why: RULES[wanted.rule],
        tried: rulesTried(facts, recordOf(port.options), isRecorded),
        claimedBy: claimed.flatMap((uuid) => (uuid === undefined ? [] : [chassisNames.get(uuid) ?? uuid])),
      };
    }),
    functions: FUNCTIONS.map((name) => {
      const { changes, ungate, events, requeue } = planOf(name, observed, world);
      return {
        name,
        writes: changes.map((change) => ({
          port: change.port.name,
          options: change.options,
          line: changeLine(change),
        })),
        ungates: ungate.map((release) => ({
          pod: release.pod.metadata.name,
          gates: release.gates,
          line: releaseLine(release),
        })),
        warnings: [...events, ...ungate.flatMap((release) => release.events)].map(
          ({ reason, message }) => `${reason}: ${message}`,
        ),
        again: requeue?.why,
      };
    }),
  };
}

function factLines({ facts: { vmi, migration, strays }, ports }: Observation): Explanation['facts'] {
  const lines: { what: string; is: string }[] = [];
  const fact = (what: string, is: string | boolean | undefined) => {
    lines.push({ what, is: typeof is === 'boolean' ? (is ? 'yes' : 'no') : (is ?? 'not known') });
  };
  fact('VMI', vmi === undefined ? 'none of this name' : vmi.uid);
  if (vmi) {
    fact('opted in', vmi.optedIn);
    fact('ended', vmi.final);
    fact('guest runs on', vmi.node);
    fact('no other launcher pod may be plugged', vmi.isAlone);
  }
  fact('migration that runs', migration === undefined ? 'none' : `${migration.name} ${migration.uid}`);
  if (migration) {
    const { target } = migration;
    fact('being deleted', migration.deleting);
    fact('memory is being copied', migration.copying);
    fact('guest runs on the target', migration.switched);
    fact('source pod', migration.sourcePod?.metadata.name ?? 'none');
    fact('target pod', target === undefined ? 'none yet' : target.pod.metadata.name);
    if (target) {
      fact('target’s node', target.node ?? 'none yet');
      fact('target ended', target.ended);
      fact('target held by', gatesOf(target.pod).join(' and ') || 'no gate of ours');
    }
  }
  for (const { pod, why } of strays) fact(`pod ${pod.metadata.name} held without reason`, why);
  fact('ports in OVN northbound', String(ports.length));
  return lines;
}
