import type { Facts } from './facts.ts';
import type { Pod, VmiReference } from './kubevirt.ts';
import { ACTIVATION_STRATEGY, type PortChange, REQUESTED_CHASSIS } from './port.ts';
import { recordOf, sameRecord } from './record.ts';

/** One line of the story that `kubectl describe vmi` tells; it becomes a Kubernetes Event on the VMI. */
export interface Remark {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

const REASONS: Record<PortChange['wanted']['binding'], string> = {
  unbound: 'PortReleased',
  pinned: 'PortPinned',
  dual: 'PortDual',
};

/** What was changed on one port, and a warning where that came too late or had to be done again. */
export function remarksOf({ port, wanted, options }: PortChange, { migration }: Facts): Remark[] {
  const strategy = options[ACTIVATION_STRATEGY];
  const binding = options[REQUESTED_CHASSIS] ?? 'nothing';
  const remarks: Remark[] = [
    {
      type: 'Normal',
      reason: REASONS[wanted.binding],
      message: `Port ${port.name}: ${REQUESTED_CHASSIS} is ${binding}${strategy ? `, opened by ${strategy}` : ''}${migration ? `, for migration ${migration.name}` : ''} (rule ${wanted.rule}).`,
    },
  ];
  if (wanted.rule === '3a' && wanted.binding === 'pinned' && !wasDualFor(port, migration?.uid)) {
    remarks.push({
      type: 'Warning',
      reason: 'PortNotDualInTime',
      message: `Port ${port.name} was not bound to both chassis when the guest switched to ${wanted.node}: its traffic was out until now. Were the functions reached in time, or had they warned that it cannot be held?`,
    });
  }
  if (wanted.binding !== 'unbound' && sameRecord(recordOf(port.externalIds), wanted.record)) {
    remarks.push({
      type: 'Warning',
      reason: 'PortOverwritten',
      message: `Port ${port.name} had ${shown(port.options[REQUESTED_CHASSIS])} for ${REQUESTED_CHASSIS} and ${shown(port.options[ACTIVATION_STRATEGY])} for ${ACTIVATION_STRATEGY}, which is not what was written for this migration: does another controller write them too?`,
    });
  }
  return remarks;
}

export function noPort({ namespace, name }: VmiReference): Remark {
  return {
    type: 'Warning',
    reason: 'NoPort',
    message: `No logical switch port of ${namespace}/${name} found in OVN northbound: the migration goes on without a hand-over. Check OVN_PROFILE and OVN_NB_REMOTE.`,
  };
}

export function notClaimed(port: string, node: string, chassis: string, migration: string): Remark {
  return {
    type: 'Warning',
    reason: 'TargetNotClaimed',
    message: `Port ${port} is bound to ${node} too, but its chassis ${chassis} has not claimed it while migration ${migration} copies memory already: is the target plugged in, and ovn-controller running there?`,
  };
}

export function cannotBeHeld(port: string, node: string, strategy: string, why: string): Remark {
  return {
    type: 'Warning',
    reason: 'PortCannotBeHeld',
    message: `Port ${port} stays bound to the source alone until the guest has switched: on ${node} it cannot be held by ${strategy}, for ${why}. Check OVN_ACTIVATION_STRATEGY, the port's addresses, and OVN's version there.`,
  };
}

export function identityDiffers(pod: Pod, difference: string): Remark {
  return {
    type: 'Warning',
    reason: 'IdentityDiffers',
    message: `Target pod ${pod.metadata.name} has another network identity than the source: ${difference}.`,
  };
}

function wasDualFor(port: PortChange['port'], migration: string | undefined): boolean {
  const record = recordOf(port.externalIds);
  return record?.binding === 'dual' && record.migration === migration;
}

function shown(value: string | undefined): string {
  return value === undefined ? 'nothing' : `"${value}"`;
}
