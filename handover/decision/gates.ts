import type { PortBinding } from '../ovn/southbound.ts';
import type { Step } from './desired.ts';
import { TryAgainError } from './errors.ts';
import { identityDiffers, noPort, type Remark } from './events.ts';
import type { Facts } from './facts.ts';
import { hintAnnotation, portHintOf } from './hint.ts';
import { isGated, type Pod, type VmiReference } from './kubevirt.ts';
import type { Verdict } from './port.ts';
import type { Profile } from './profile.ts';
import { recordOf } from './record.ts';

/** A target pod that may plug in now: what it is to carry, and what people should know about it. */
export interface Admission {
  readonly pod: Pod;
  readonly annotations: Readonly<Record<string, string>>;
  readonly remarks: readonly Remark[];
}

/**
 * Whether the target pod may go to the scheduler, and what it takes along: the source's network identity and where
 * the ports are. `undefined` where there is no target pod that waits for it.
 * @throws TryAgainError while a port of the VM is not bound for this migration
 */
export async function admission(look: {
  readonly vmi: VmiReference;
  readonly facts: Facts;
  readonly verdicts: readonly Verdict[];
  readonly profile: Profile;
  /** Whether this function makes such a step: it has done so before it asks. */
  isOwn(step: Step): boolean;
  bindings(): Promise<readonly PortBinding[]>;
}): Promise<Admission | undefined> {
  const { migration } = look.facts;
  const pod = migration?.target?.pod;
  if (!migration || !pod || migration.target.ended || migration.deleting || migration.switched) return undefined;
  const gated = isGated(pod);

  if (look.verdicts.every(({ wanted }) => wanted.rule === '1')) {
    // Nothing here is ours to hand over, so nothing may hold the migration up either.
    const remarks = look.verdicts.length > 0 ? [] : [noPort(look.vmi)];
    return gated ? { pod, annotations: {}, remarks } : undefined;
  }
  for (const { port, wanted } of look.verdicts) {
    if (wanted.rule === '1') continue;
    const isMade = wanted.binding !== 'leave' && look.isOwn(wanted.step);
    const isBound = isMade || recordOf(port.externalIds)?.migration === migration.uid;
    if (!isBound) throw new TryAgainError(`port ${port.name} is not yet bound for migration ${migration.name}`);
  }

  const ports = look.verdicts.map(({ port }) => port);
  const { missing, differing } = look.profile.identity(pod, migration.sourcePod, ports);
  const hasHint = portHintOf(pod)?.ports.length === ports.length;
  if (!gated && hasHint && Object.keys(missing).length === 0) return undefined;
  const hint = { ports: ports.map(({ uuid }) => uuid), bindings: (await look.bindings()).map(({ uuid }) => uuid) };
  return {
    pod,
    annotations: { ...missing, ...hintAnnotation(hint) },
    remarks: differing.map((difference) => identityDiffers(pod, difference)),
  };
}
