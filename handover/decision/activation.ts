import { isIPv4, isIPv6 } from 'node:net';

/** What ovn-controller knows of activation strategies; it is the one that holds a port and opens it, not northd. */
export type StrategySupport = 'rarp-only' | 'all';

const BEGINS_WITH_MAC = /^([0-9a-f]{2}:){5}[0-9a-f]{2}( |$)/i;

/**
 * Why a target's port would be left open, or closed for good, by a strategy; `undefined` where it is held until the
 * guest announces itself. Seen on OVN 23.03.1, 25.03.0 and 26.03.1 (docs/ovn-versions.md):
 * an older ovn-controller holds any port by exactly `rarp` and none by anything else; a newer one holds only a port with
 * an address that begins with a MAC, and opens it by `garp` for an IPv4 address of it, by `na` for an IPv6 one.
 *
 * @param strategy one or several of rarp, garp and na, comma-separated (ovn-nb(5), activation-strategy)
 * @param addresses Port_Binding's `mac`, which ovn-controller goes by: what OVN chose for `dynamic` is not in there
 * @param support of the target's ovn-controller
 */
export function whyNotHeld(
  strategy: string,
  addresses: readonly string[],
  support: StrategySupport,
): string | undefined {
  if (support === 'rarp-only') {
    return strategy === 'rarp' ? undefined : 'ovn-controller knows only rarp there, and would leave the port open';
  }
  const held = addresses.filter((address) => BEGINS_WITH_MAC.test(address));
  if (held.length === 0) {
    return 'the port has no address that begins with a MAC, and ovn-controller would leave it open';
  }
  const ips = held.flatMap((address) => address.split(' ').slice(1));
  const opens: Record<string, boolean> = { rarp: true, garp: ips.some(isIPv4), na: ips.some(isIPv6) };
  if (strategy.split(',').some((each) => opens[each])) return undefined;
  return `nothing would open the port: garp takes an IPv4 address, na an IPv6 one, and it has ${held.join(', ')}`;
}
