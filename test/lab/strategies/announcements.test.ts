import { expect, test } from '@jest/globals';
import { announce, tagged, udp } from '../../../lab/strategies/announcements.ts';
import { isForeseen } from '../../../lab/strategies/matrix.ts';

const guest = { mac: '02:00:5e:10:00:0a', ipv4: '10.40.0.17', ipv6: 'fd00:40:0:0:0:0:0:1f' };
const MAC = '02005e10000a';
const IPV6 = 'fd00004000000000000000000000001f';

test('a RARP asks for the sender itself, and names no address of IP', () => {
  const frame = `ffffffffffff${MAC}80350001080006040003${MAC}00000000${MAC}00000000`;
  expect(announce('rarp', guest)).toBe(frame.padEnd(120, '0'));
});

test('a gratuitous ARP asks for the address that it comes from', () => {
  const frame = `ffffffffffff${MAC}08060001080006040001${MAC}0a2800110000000000000a280011`;
  expect(announce('garp', guest)).toBe(frame.padEnd(120, '0'));
});

test('an unsolicited neighbour advertisement goes to all nodes, with the link-layer address and a right checksum', () => {
  const frame = announce('na', guest);
  const allNodes = 'ff020000000000000000000000000001';
  expect(frame).toMatch(
    new RegExp(`^333300000001${MAC}86dd6000000000203aff${IPV6}${allNodes}8800[0-9a-f]{4}20000000${IPV6}0201${MAC}$`),
  );
  // RFC 1071, 1 (3): over what it covers, itself included, the sum is all ones.
  const words = `${IPV6}${allNodes}000000200000003a${frame.slice(108)}`.match(/.{4}/g)!;
  let sum = words.reduce((total, word) => total + Number.parseInt(word, 16), 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  expect(sum).toBe(0xffff);
});

test('a tag stands between the addresses and the ethertype, and changes nothing else', () => {
  const frame = announce('rarp', guest);
  expect(tagged(frame, 10)).toBe(`${frame.slice(0, 24)}8100000a${frame.slice(24)}`);
});

test('a datagram goes from one MAC and IPv4 address to others, with a right checksum', () => {
  const frame = udp({ from: [guest.mac, guest.ipv4], to: ['02:00:5e:10:00:0b', '10.40.0.18'] });
  expect(frame).toMatch(
    new RegExp(`^02005e10000b${MAC}08004500001c000040004011[0-9a-f]{4}0a2800110a2800120009000900080000`),
  );
  let sum = frame
    .slice(28, 68)
    .match(/.{4}/g)!
    .reduce((total, word) => total + Number.parseInt(word, 16), 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  expect(sum).toBe(0xffff);
});

test.each([
  ['armed, held and opened', true, ['rarp'], undefined, true],
  ['armed and never held', false, ['rarp'], undefined, false],
  ['armed and never opened', true, [], undefined, false],
  ['rejected, and never held', false, [], 'why', true],
  ['rejected, and never opened', true, [], 'why', true],
  ['rejected though it opens', true, ['rarp'], 'why', false],
] as const)('%s is as foreseen or not', (_, held, openedBy, rejected, foreseen) => {
  expect(isForeseen({ addresses: 'MAC', strategy: 'rarp', held, openedBy, rejected })).toBe(foreseen);
});
