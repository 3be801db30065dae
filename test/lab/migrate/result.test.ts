import { expect, test } from '@jest/globals';
import { brokenPromises, type InterfaceResult, type MigrationResult, summarize } from '../../../lab/migrate/result.ts';
import { timeline } from '../../../lab/migrate/timeline.ts';

const binding = (atMs: number, requestedChassis: string | undefined) => ({
  atMs,
  requestedChassis,
  activationStrategy: requestedChassis?.includes(',') ? 'rarp' : undefined,
  record: {},
});

const kept: InterfaceResult = {
  port: 'web-01.prod',
  outageMs: 180,
  outageAtMs: 9_000,
  sentPings: 3_000,
  lostPings: 30,
  tcpMaxStallMs: 200,
  tcpBroken: false,
  activatedByRarp: true,
  bindings: [
    binding(-1, undefined),
    binding(100, 'chassis-1'),
    binding(500, 'chassis-1,chassis-2'),
    binding(9_500, 'chassis-2'),
    binding(20_000, undefined),
  ],
  claims: [],
  stolenClaims: 0,
  pings: [],
};
const lost: InterfaceResult = { ...kept, port: 'web-01.prod.net2.prod.ovn', outageMs: 700, activatedByRarp: false };

const migration = (...interfaces: MigrationResult['interfaces']): MigrationResult => ({
  mode: 'handover',
  migration: 'kubevirt-migrate-vm-1',
  startedAt: '2026-11-24T08:00:00.000Z',
  from: 'node1',
  to: 'node2',
  phase: 'Succeeded',
  guestBlackoutMs: 100,
  switchedAtMs: 9_100,
  guest: 'running',
  interfaces,
  phases: [],
  functions: {},
  commits: 4,
  warnings: [],
});

test('what is promised is promised of each interface, and a broken promise names its port', () => {
  expect(brokenPromises(migration(kept, { ...kept, port: lost.port }))).toEqual([]);
  expect(brokenPromises(migration(kept, lost))).toEqual([
    "web-01.prod.net2.prod.ovn: ping was out for 600 ms beside the guest's own blackout, 500 ms are promised",
    'web-01.prod.net2.prod.ovn: the target was not opened by the RARP',
  ]);
});

test("the guest's own blackout excuses only a silence that it was a part of", () => {
  const silent = (outageAtMs: number) => brokenPromises(migration({ ...kept, outageAtMs, outageMs: 550 }));
  expect(silent(8_900)).toEqual([]);
  const alone = ["web-01.prod: ping was out for 550 ms beside the guest's own blackout, 500 ms are promised"];
  expect([silent(2_000), silent(12_000)]).toEqual([alone, alone]);
});

test('more commits than promised, a warning, and a port that is not as it was before break a promise', () => {
  const left = { ...kept, bindings: kept.bindings.slice(0, -1) };
  expect(brokenPromises({ ...migration(left), commits: 6, warnings: ['PortOverwritten: …'] })).toEqual([
    'the functions committed 6 times, 5 are promised',
    'PortOverwritten: …',
    'web-01.prod: the binding went unbound → pinned → dual → pinned',
  ]);
  expect(brokenPromises(migration(kept))).toEqual([]);
});

test('the summary tells the interfaces apart', () => {
  const { interfaces } = summarize([migration(kept, lost), migration({ ...kept, outageMs: 200 }, lost)]);
  expect(interfaces).toMatchObject([
    { port: kept.port, outageMs: { median: 190, worst: 200 } },
    { port: lost.port, outageMs: { median: 700, worst: 700 } },
  ]);
});

test('the timeline names the port only where there is more than one', () => {
  expect(timeline(migration(kept))).not.toContain('web-01');
  const both = timeline(migration(kept, lost));
  expect(both).toContain('web-01.prod: longest silence begins: 180 ms');
  expect(both).toContain('web-01.prod.net2.prod.ovn: longest silence begins: 700 ms');
  expect(both).toContain('web-01.prod.net2.prod.ovn: dual: requested-chassis=chassis-1,chassis-2');
});
