/** By what a guest that arrives is announced; a strategy is named after each. */
export const ANNOUNCEMENTS = ['rarp', 'garp', 'na'] as const;
export type Announcement = (typeof ANNOUNCEMENTS)[number];

/** Addresses of the guest; `ipv6` is written in full, without `::`. */
export interface Announced {
  readonly mac: string;
  readonly ipv4: string;
  readonly ipv6: string;
}

const BROADCAST = 'ffffffffffff';
const SHORTEST_FRAME = 60;

/** The Ethernet frame, in hexadecimal. */
export function announce(how: Announcement, guest: Announced): string {
  const frame = { rarp, garp, na }[how](guest);
  return frame.padEnd(2 * SHORTEST_FRAME, '0');
}

/** The frame with a VLAN tag (IEEE 802.1Q). */
export function tagged(frame: string, vlan: number): string {
  return `${frame.slice(0, 24)}8100${vlan.toString(16).padStart(4, '0')}${frame.slice(24)}`;
}

/** A datagram without content, to the discard port (RFC 863), from a MAC and IPv4 address to others. */
export function udp({ from, to }: Record<'from' | 'to', readonly [mac: string, ipv4: string]>): string {
  const header = (checksum: string) => `4500001c000040004011${checksum}${hexOfIpv4(from[1])}${hexOfIpv4(to[1])}`;
  const packet = `${header(checksumOf(header('0000')))}0009000900080000`;
  return `${hexOfMac(to[0])}${hexOfMac(from[0])}0800${packet}`.padEnd(2 * SHORTEST_FRAME, '0');
}

/** RFC 903 as QEMU's announce_self writes it: a reverse request for the sender itself, without addresses of IP. */
function rarp({ mac }: Announced): string {
  const own = hexOfMac(mac);
  return `${BROADCAST}${own}8035${'0001080006040003'}${own}00000000${own}00000000`;
}

/** RFC 5227, 3: an ARP announcement, a request in which sender and target are the same. */
function garp({ mac, ipv4 }: Announced): string {
  const own = hexOfMac(mac);
  const ip = hexOfIpv4(ipv4);
  return `${BROADCAST}${own}0806${'0001080006040001'}${own}${ip}000000000000${ip}`;
}

/** RFC 4861, 4.4: an unsolicited neighbour advertisement to all nodes, with the override flag and the link-layer address. */
function na({ mac, ipv6 }: Announced): string {
  const source = hexOfIpv6(ipv6);
  const allNodes = 'ff020000000000000000000000000001';
  const message = (checksum: string) => `8800${checksum}20000000${source}0201${hexOfMac(mac)}`;
  const length = message('0000').length / 2;
  const pseudoHeader = `${source}${allNodes}${length.toString(16).padStart(8, '0')}0000003a`;
  const header = `60000000${length.toString(16).padStart(4, '0')}3aff${source}${allNodes}`;
  return `333300000001${hexOfMac(mac)}86dd${header}${message(checksumOf(pseudoHeader + message('0000')))}`;
}

/** RFC 1071. */
function checksumOf(hex: string): string {
  let sum = 0;
  for (const [word] of hex.matchAll(/.{4}/g)) sum += Number.parseInt(word, 16);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return (~sum & 0xffff).toString(16).padStart(4, '0');
}

function hexOfMac(mac: string): string {
  return mac.replaceAll(':', '');
}

function hexOfIpv6(ip: string): string {
  return ip
    .split(':')
    .map((group) => group.padStart(4, '0'))
    .join('');
}

function hexOfIpv4(ip: string): string {
  return ip.split('.').map(Number).map(hexByte).join('');
}

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
