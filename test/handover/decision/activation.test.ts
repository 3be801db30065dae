import { describe, expect, test } from '@jest/globals';
import { whyNotHeld } from '../../../handover/decision/activation.ts';

const MAC = '02:00:00:00:00:01';
const FOUR = `${MAC} 10.0.0.1`;
const SIX = `${MAC} fd00::1`;
const BOTH = `${MAC} 10.0.0.1 fd00::1`;
const ALL = ['rarp', 'garp', 'na', 'rarp,garp', 'rarp,na', 'garp,na', 'rarp,garp,na'];
const HOLDS = undefined;
const OPEN = /leave (the port|it) open$/;
const CLOSED = /^nothing would open the port: /;

describe('an ovn-controller that knows only rarp', () => {
  test.each([[[BOTH]], [[MAC]], [['dynamic']], [['unknown']], [[]]])('holds a port with %j by rarp', (addresses) => {
    expect(whyNotHeld('rarp', addresses, 'rarp-only')).toBe(HOLDS);
  });

  test.each(ALL.slice(1))('leaves one open by %s', (strategy) => {
    expect(whyNotHeld(strategy, [BOTH], 'rarp-only')).toMatch(OPEN);
  });
});

describe('one that knows all', () => {
  test.each([[['unknown']], [['dynamic']], [['dynamic 10.0.0.1']], [[`x${MAC}`]], [[]]])(
    'leaves a port with %j open by each, as it has no address with a MAC',
    (addresses) => {
      for (const strategy of ALL) expect(whyNotHeld(strategy, addresses, 'all')).toMatch(OPEN);
    },
  );

  test.each<[string[], Record<string, boolean>]>([
    [[FOUR], { rarp: true, garp: true, na: false, 'rarp,na': true, 'garp,na': true }],
    [[SIX], { rarp: true, garp: false, na: true, 'rarp,garp': true, 'garp,na': true }],
    [[BOTH], { rarp: true, garp: true, na: true }],
    [[FOUR, `02:00:00:00:00:02 fd00::2`], { garp: true, na: true }],
    [[FOUR, 'unknown'], { rarp: true, garp: true, na: false }],
    [['unknown', SIX], { garp: false, na: true }],
    [[MAC], { rarp: true, garp: false, na: false, 'garp,na': false, 'rarp,garp,na': true }],
    [[`${MAC} dynamic`], { rarp: true, garp: false, na: false }],
    [[MAC.toUpperCase()], { rarp: true }],
  ])('opens a port with %j by what its addresses can be announced by', (addresses, opens) => {
    for (const [strategy, does] of Object.entries(opens)) {
      if (does) expect(whyNotHeld(strategy, addresses, 'all')).toBe(HOLDS);
      else expect(whyNotHeld(strategy, addresses, 'all')).toMatch(CLOSED);
    }
  });

  test('says which addresses it has', () => {
    expect(whyNotHeld('na', ['unknown', FOUR, MAC], 'all')).toBe(
      `nothing would open the port: garp takes an IPv4 address, na an IPv6 one, and it has ${FOUR}, ${MAC}`,
    );
  });
});
