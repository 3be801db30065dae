import { expect, test } from '@jest/globals';
import { plannedBy } from '../../../scripts/deploy/checks.ts';

const manifest = (kind: string, name: string, data?: Record<string, string>) => ({
  apiVersion: 'v1',
  kind,
  metadata: { name },
  ...(data && { data }),
});
const THERE = { settings: { OVN_NB_REMOTE: 'tcp:192.0.2.1:6641' }, certificates: { cert: 'there' } };

test('what is checked before a deployment are the settings that it brings, and the certificates that are there', () => {
  const base = [manifest('Namespace', 'ovn-handover'), manifest('ConfigMap', 'ovn-handover', { OVN_NB_REMOTE: 'new' })];
  expect(plannedBy(base, THERE)).toEqual({ settings: { OVN_NB_REMOTE: 'new' }, certificates: THERE.certificates });
});

test('the empty Secret of an overlay without TLS is one', () => {
  expect(plannedBy([manifest('Secret', 'ovn-client-tls')], { settings: undefined, certificates: undefined })).toEqual({
    settings: undefined,
    certificates: {},
  });
});
