import { expect, test } from '@jest/globals';
import { notReadyAmong } from '../../../scripts/deploy/ready.ts';

const trigger = (name: string, status: string | undefined, more: object = {}) => ({
  kind: 'Trigger',
  metadata: { name },
  ...(status && { status: { conditions: [{ type: 'Ready', status, ...more }] } }),
});

test('what is not Ready is named with its reason, and what has no condition yet is not Ready either', () => {
  const waiting = { reason: 'SubscriberNotFound', message: 'services "reconcile" not found' };
  expect(
    notReadyAmong([
      trigger('a', 'True'),
      trigger('b', 'False', waiting),
      trigger('c', 'Unknown'),
      trigger('d', undefined),
    ]),
  ).toEqual([
    'Trigger b (SubscriberNotFound: services "reconcile" not found)',
    'Trigger c (it does not say why)',
    'Trigger d (it does not say why)',
  ]);
});
