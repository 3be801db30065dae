import { expect, test } from '@jest/globals';
import { PingParser } from '../../../lab/probe/ping.ts';

function parse(...lines: string[]) {
  const parser = new PingParser();
  for (const line of lines) parser.read(line);
  return parser.result();
}

test('each answer has its sequence number, time of arrival and round trip', () => {
  const result = parse(
    'PING 10.16.0.10 (10.16.0.10) 56(84) bytes of data.',
    '[1795433059.037547] 64 bytes from 10.16.0.10: icmp_seq=1 ttl=64 time=1.59 ms',
    '[1795433059.041348] 64 bytes from 10.16.0.10: icmp_seq=3 ttl=64 time=0.406 ms',
    '',
    '--- 10.16.0.10 ping statistics ---',
    '3 packets transmitted, 2 received, 33.3333% packet loss, time 20ms',
  );
  expect(result.sent).toBe(3);
  expect(result.answers.map(({ sequence }) => sequence)).toEqual([1, 3]);
  expect(result.answers[0]?.at).toBeCloseTo(1795433059037.547, 3);
  expect(result.answers[0]?.rttMs).toBe(1.59);
});

test('what is not an answer is no answer', () => {
  const result = parse(
    '[1795433059.037547] From 10.16.0.100 icmp_seq=7 Destination Host Unreachable',
    '[1795433059.037547] no answer yet for icmp_seq=8',
  );
  expect(result.answers).toEqual([]);
});

test('a duplicate is counted apart and is not an answer of its own', () => {
  const result = parse(
    '[1.0] 64 bytes from 10.16.0.10: icmp_seq=1 ttl=64 time=1.59 ms',
    '[1.1] 64 bytes from 10.16.0.10: icmp_seq=1 ttl=64 time=101 ms (DUP!)',
  );
  expect(result.duplicates).toBe(1);
  expect(result.answers).toHaveLength(1);
});

test('sequence numbers go on counting after the wire has used up its 16 bits', () => {
  const result = parse(
    '[1.0] 64 bytes from 10.16.0.10: icmp_seq=65535 ttl=64 time=1 ms',
    '[1.1] 64 bytes from 10.16.0.10: icmp_seq=0 ttl=64 time=1 ms',
    '[1.2] 64 bytes from 10.16.0.10: icmp_seq=1 ttl=64 time=1 ms',
  );
  expect(result.answers.map(({ sequence }) => sequence)).toEqual([65535, 65536, 65537]);
});
