import { isDual, type Port, REQUESTED_CHASSIS } from './port.ts';
import { recordOf, SINCE_KEY } from './record.ts';
import type { PortBinding } from './southbound.ts';

/** How long the ovn-controllers may take to follow a binding before it counts as missed. */
export const CLAIM_MS = 500;
/** For how long a call waits for northd to come to it. */
const MAX_LAG_MS = 10_000;

/** Whether a port was bound to the target of a migration alone: the chassis there is to claim it as its main one. */
export function isHandedOver({ options }: Pick<Port, 'options'>): boolean {
  const record = recordOf(options);
  if (options[REQUESTED_CHASSIS] === undefined) return false;
  return record?.binding === 'pinned' && record.target !== undefined && record.target !== record.source;
}

/**
 * Whether a port that was handed over is held by its new chassis.
 *
 * `missed`: the chassis holds it as an additional one still, and no chassis as its main one, so that others send the guest
 * nothing. An ovn-controller whose own transaction is under way when the source lets go passes over that, and looks at the
 * port again only when its row changes (docs/ovn-versions.md).
 *
 * `awaited`: ovn-northd, or the chassis, may not have come to it yet. `late`: they have not for a long time.
 * @param now ms since the epoch
 */
export function claimOf(
  port: Pick<Port, 'options'>,
  binding: PortBinding | undefined,
  now: number,
): 'settled' | 'awaited' | 'late' | 'missed' {
  if (!isHandedOver(port) || isDual(port)) return 'settled';
  const since = port.options[SINCE_KEY];
  const ms = now - Date.parse(since ?? '');
  if (ms < CLAIM_MS) return 'awaited';
  if (binding === undefined) return 'settled';
  if (binding.since !== since) return ms < MAX_LAG_MS ? 'awaited' : 'late';
  return binding.chassis === undefined && binding.additionalChassis.length > 0 ? 'missed' : 'settled';
}
