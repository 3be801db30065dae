import { describe, expect, test } from '@jest/globals';
import { desired } from '../../handover/desired.ts';
import { changeFor, type Port } from '../../handover/port.ts';
import { recordOf } from '../../handover/record.ts';
import { remarksOf } from '../../handover/remark.ts';
import { factsAt, pod, vmi, vmim } from './support/moments.ts';
import { DUAL, PINNED, port } from './support/ports.ts';

const setup = {
  chassis: new Map([
    ['worker-a', 'chassis-1'],
    ['worker-b', 'chassis-2'],
  ]),
  activationStrategy: 'rarp',
  now: new Date('2026-08-20T10:00:02.345Z'),
};
const scheduled = factsAt({
  migrations: [vmim('02-scheduling')],
  pods: [pod('source-running'), pod('target-02-scheduled')],
});
const switched = factsAt({
  migrations: [vmim('06-running')],
  vmi: vmi('04-running'),
  pods: [pod('source-running'), pod('target-04-domain-ready')],
});

/** What is told of the change that `before` needs. */
function told(facts: typeof scheduled, before: Port) {
  const change = changeFor(before, desired(facts, recordOf(before.externalIds)), setup);
  return change ? remarksOf(change, facts) : [];
}

describe('what kubectl describe vmi tells', () => {
  test('a change is one normal line that names port, chassis, strategy, migration and rule', () => {
    const lines = told(scheduled, port({ options: { 'requested-chassis': 'chassis-1' }, record: PINNED }));
    expect(lines).toEqual([
      {
        type: 'Normal',
        reason: 'PortDual',
        message:
          'Port web-01.prod: requested-chassis is chassis-1,chassis-2, opened by rarp, for migration kubevirt-migrate-vm-x7k2p (rule 3b).',
      },
    ]);
  });

  test('a guest that switched before its port was dual is a warning: its traffic was out', () => {
    const lines = told(switched, port({ options: { 'requested-chassis': 'chassis-1' }, record: PINNED }));
    expect(lines.map(({ type, reason }) => `${type} ${reason}`)).toEqual([
      'Normal PortPinned',
      'Warning PortNotDualInTime',
    ]);
    expect(lines[1]?.message).toContain('switched to worker-b');
  });

  test('a guest that switched in time is none', () => {
    const options = { 'requested-chassis': 'chassis-1,chassis-2', 'activation-strategy': 'rarp' };
    expect(told(switched, port({ options, record: DUAL })).map(({ type }) => type)).toEqual(['Normal']);
  });

  test('a binding that somebody else changed under our record is a warning that shows what was there', () => {
    const lines = told(scheduled, port({ options: { 'requested-chassis': 'chassis-9' }, record: DUAL }));
    expect(lines[1]).toMatchObject({ type: 'Warning', reason: 'PortOverwritten' });
    expect(lines[1]?.message).toContain('had "chassis-9" for requested-chassis and nothing for activation-strategy');
  });
});
