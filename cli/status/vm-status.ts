import { RULES, type Rule } from '../../handover/decision/desired.ts';
import type { SchedulingGateRelease } from '../../handover/decision/gates.ts';
import { gatesOf, type VmiReference } from '../../handover/decision/kubevirt.ts';
import { ACTIVATION_STRATEGY, type PortChange, REQUESTED_CHASSIS } from '../../handover/decision/port.ts';
import { recordOf, SINCE_KEY } from '../../handover/decision/record.ts';
import type { Look } from './look.ts';

/** One VM as `status` shows it. */
export interface VmStatus {
  readonly vmi: VmiReference;
  readonly optedIn: boolean;
  /** Where the guest runs, by Kubernetes. */
  readonly node?: string | undefined;
  readonly targetNode?: string | undefined;
  /** The migration that runs. */
  readonly migration?: string | undefined;
  /** Our gates that hold its target pod. */
  readonly gates: readonly string[];
  readonly ports: readonly PortStatus[];
  /** Whether all rows are as they should be, and nothing holds a pod without reason. */
  readonly isRight: boolean;
  /** What is not, or why nothing could be seen. */
  readonly problems: readonly string[];
}

export interface PortStatus {
  readonly name: string;
  readonly uuid: string;
  readonly binding: 'unbound' | 'pinned' | 'dual';
  readonly requestedChassis?: string | undefined;
  readonly activationStrategy?: string | undefined;
  /** Of our record: the migration's uid, and since when the binding holds. */
  readonly recordedMigration?: string | undefined;
  readonly since?: string | undefined;
  readonly rule: Rule;
  readonly why: string;
  /** What would be written now; `undefined` where the row is as it should be. */
  readonly wouldWrite?: Readonly<Record<string, string>> | undefined;
}

export function statusOf({ observed, plan }: Look): VmStatus {
  const { vmi, facts, ports } = observed;
  const { migration } = facts;
  const isOurs = facts.vmi?.optedIn === true || ports.some(({ port }) => recordOf(port.options) !== undefined);
  const rows = ports.map(({ port, wanted }): PortStatus => {
    const requested = port.options[REQUESTED_CHASSIS];
    return {
      name: port.name,
      uuid: port.uuid,
      binding: requested === undefined ? 'unbound' : requested.includes(',') ? 'dual' : 'pinned',
      requestedChassis: requested,
      activationStrategy: port.options[ACTIVATION_STRATEGY],
      recordedMigration: recordOf(port.options)?.migration,
      since: port.options[SINCE_KEY],
      rule: wanted.rule,
      why: RULES[wanted.rule],
      wouldWrite: plan.changes.find((change) => change.port === port)?.options,
    };
  });
  const problems = [
    ...(isOurs && facts.vmi?.final === false && ports.length === 0
      ? ['OVN northbound has no port of this VM: look at OVN_PROFILE, OVN_PORT_NAME and the remotes']
      : []),
    ...plan.changes.map(changeLine),
    ...plan.ungate.map(releaseLine),
    ...plan.events.filter(({ type }) => type === 'Warning').map(({ message }) => message),
  ];
  return {
    vmi,
    optedIn: facts.vmi?.optedIn === true,
    node: facts.vmi?.node,
    targetNode: migration?.target?.node,
    migration: migration?.name,
    gates: migration?.target ? gatesOf(migration.target.pod) : [],
    ports: rows,
    isRight: problems.length === 0,
    problems,
  };
}

/** What a launcher pod would get, in one line. */
export function releaseLine({ pod, gates }: Pick<SchedulingGateRelease, 'pod' | 'gates'>): string {
  const what = gates.length > 0 ? `${gates.join(' and ')} would come off` : 'it would get its annotations';
  return `pod ${pod.metadata.name}: ${what}`;
}

/** A change in one line: what a row has, and what it would get. */
export function changeLine({ port, options, wanted }: PortChange): string {
  const keys = [REQUESTED_CHASSIS, ACTIVATION_STRATEGY];
  const shown = (from: Readonly<Record<string, string>>) =>
    keys.flatMap((key) => (from[key] === undefined ? [] : [`${key}=${from[key]}`])).join(' ') || 'no binding';
  const [is, becomes] = [shown(port.options), shown(options)];
  const record = recordOf(options) === undefined ? 'its record goes' : 'its record is written';
  const what = is === becomes ? `${is} stays, ${record}` : `${is} becomes ${becomes}`;
  return `port ${port.name}: ${what} (rule ${wanted.rule}, by ${wanted.step})`;
}
