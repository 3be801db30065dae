import { expect, test } from '@jest/globals';
import validate from '../../schemas/generated/settings.js';

const isTaken = (OVN_PORT_NAME: string) =>
  validate({ FUNC_STEP: 'reconcile', OVN_NB_REMOTE: 'unix:/nb', OVN_SB_REMOTE: 'unix:/sb', OVN_PORT_NAME });

test.each([
  '{vmi}.{namespace}',
  '{namespace}_{vmi}-nic',
  'lsp-{vmi}/{namespace}:{network}',
  '{network}.{vmi}.{namespace}',
  '{namespace}:{network}:{vmi}',
])('a template of port names may be %s', (template) => {
  expect(isTaken(template)).toBe(true);
});

test.each([
  ['names no place', 'web-01'],
  ['leaves the namespace out', '{vmi}.{network}'],
  ['leaves the VMI out', '{namespace}.{network}'],
  ['has nothing between two places', '{vmi}{namespace}'],
  ['has a character between two places that a namespace may have', '{vmi}-{namespace}'],
  ['has such a character before the network', '{vmi}.{namespace}-{network}'],
  ['names a place twice', '{vmi}.{namespace}.{vmi}'],
  ['names a place twice, far apart', '{network}.{vmi}.{namespace}.{network}'],
  ['names a place that there is not', '{vmi}.{namespace}.{pod}'],
])('a template of port names that %s is not taken, for a name would not say whose it is', (_how, template) => {
  expect(isTaken(template)).toBe(false);
});
