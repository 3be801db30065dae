import { isDual, type Port, REQUESTED_CHASSIS } from './port.ts';
import { recordOf, SINCE_KEY } from './record.ts';
import type { PortBinding } from './southbound.ts';

/** How long the ovn-controllers may take to follow a binding before it counts as missed. */
export const CLAIM_MS = 1_000;
/** For how long northd, and the chassis that lets the port go, are waited for: that one may be dead. */
const MAX_LAG_MS = 10_000;

/** Whether a port is bound by us to one chassis. */
export function isPinned(port: Pick<Port, 'options'>): boolean {
  const isBound = port.options[REQUESTED_CHASSIS] !== undefined && !isDual(port);
  return isBound && recordOf(port.options)?.binding === 'pinned';
}

/**
 * Whether the one chassis that a port is bound to holds it.
 *
 * `missed`: it holds the port as an additional chassis still, and none as the main one, so that others send the guest
 * nothing. An ovn-controller whose own transaction is under way when the source lets go passes over that, and looks at the
 * port again only when its row changes (docs/ovn-versions.md).
 *
 * `awaited`: ovn-northd, or a chassis, may not have come to it yet.
 * @param binding `undefined` where it was not read, or is not there
 * @param now ms since the epoch
 */
export function claimOf(
  port: Pick<Port, 'options'>,
  binding: PortBinding | undefined,
  now: number,
): 'settled' | 'awaited' | 'missed' {
  if (!isPinned(port) || binding?.additionalChassis.length === 0) return 'settled';
  const since = port.options[SINCE_KEY];
  const ms = now - Date.parse(since ?? '');
  if (ms < CLAIM_MS) return 'awaited';
  if (binding === undefined) return 'settled';
  if (binding.since === since && binding.chassis === undefined) return 'missed';
  return ms < MAX_LAG_MS ? 'awaited' : 'settled';
}
