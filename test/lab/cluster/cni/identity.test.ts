/** The contract of docs/cni.md: what the functions write, its schema, and what the example plug-in makes of it. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { profileOf } from '../../../../handover/decision/profile.ts';
import { portIn } from '../../../../lab/cluster/cni/identity.ts';
import validate from '../../../../schemas/generated/port-annotation.js';
import { pod } from '../../../../testkit/moments.ts';

const ANNOTATION = 'ovn-handover.dev/port';
const port = (name: string, address: string) => ({
  uuid: name,
  name,
  addresses: [address],
  options: {},
  externalIds: {},
});

/** As `reuse-port` writes it. */
function annotationFor(template: string, ...ports: ReturnType<typeof port>[]): string {
  return profileOf('generic', template).identity(pod('target-02-scheduled'), undefined, ports).missing[ANNOTATION]!;
}

const ONE = annotationFor('{vmi}.{namespace}', port('web-01.prod', '0a:00:00:00:00:01 fd00::10 10.0.0.10'));
const NETWORKS = annotationFor(
  '{vmi}.{namespace}.{network}',
  port('web-01.prod.default', '0a:00:00:00:00:01 10.0.0.10'),
  port('web-01.prod.tenant-a', '0a:00:00:00:00:02'),
);

test('what the functions write is what the schema says, for one port and for one of each network', () => {
  expect([ONE, NETWORKS].map((annotation) => validate(JSON.parse(annotation)))).toEqual([true, true]);
});

test('the page shows what the functions write', () => {
  const page = readFileSync(new URL('../../../../docs/cni.md', import.meta.url), 'utf8');
  const shown = [...page.matchAll(/^```json\n(.*?)^```$/gms)].map(([, json]) => JSON.parse(json!));
  expect(shown).toEqual([JSON.parse(ONE), JSON.parse(NETWORKS)]);
});

describe('the example plug-in', () => {
  test('takes the port, its MAC and its IPv4 address', () => {
    expect(portIn(ONE)).toEqual({ ifaceId: 'web-01.prod', mac: '0a:00:00:00:00:01', ip: '10.0.0.10' });
  });

  test.each([
    ['ports by network', NETWORKS],
    ['no address', '{"ifaceId":"web-01.prod","mac":"0a:00:00:00:00:01","ips":[]}'],
    ['no MAC', '{"ifaceId":"web-01.prod","ips":["10.0.0.10"]}'],
    ['another MAC than one', '{"ifaceId":"web-01.prod","mac":"x","ips":["10.0.0.10"]}'],
  ])('says what it expects of an annotation with %s', (_what, annotation) => {
    expect(() => portIn(annotation)).toThrow(/ovn-handover\.dev\/port is .*; expected one port with an IPv4 address/);
  });
});
