import { describe, expect, test } from '@jest/globals';
import { profileOf } from '../../../handover/decision/profile.ts';
import { pod, VMI } from '../support/moments.ts';
import { port } from '../support/ports.ts';

const source = (annotations: object) => pod('source-running', { metadata: { annotations } });
const target = (annotations?: object) => pod('target-01-created-unscheduled', { metadata: { annotations } });

describe('profile kube-ovn', () => {
  const profile = profileOf('kube-ovn', '');

  test("a port is the VM's by external_ids:pod, namespace and all", () => {
    expect(profile.owns(port(), VMI)).toBe(true);
    expect(profile.owns(port({ externalIds: { pod: 'prod/web-011' } }), VMI)).toBe(false);
    expect(profile.owns(port({ externalIds: { pod: 'other/web-01' } }), VMI)).toBe(false);
    expect(profile.owns(port({ externalIds: {} }), VMI)).toBe(false);
    expect(profile.condition(VMI)).toEqual(['external_ids', 'includes', ['map', [['pod', 'prod/web-01']]]]);
  });

  test("a port says whose it is, if it is a VM's", () => {
    const ownerOf = (externalIds: Record<string, string>) => profile.ownerOf(port({ externalIds }));
    expect(ownerOf({ pod: 'prod/web-01' })).toEqual(VMI);
    for (const text of ['', 'prod', 'prod/', '/web-01', 'a/prod/web-01', 'prod/web-01/eth0']) {
      expect(ownerOf({ pod: text })).toBeUndefined();
    }
    expect(ownerOf({})).toBeUndefined();
  });

  const identity = {
    'ovn.kubernetes.io/ip_address': '10.16.0.9',
    'ovn.kubernetes.io/mac_address': '02:00:5e:10:00:01',
    'ovn.kubernetes.io/allocated': 'true',
    'tenant-a.prod.ovn.kubernetes.io/ip_address': '192.168.50.10',
    'tenant-a.prod.ovn.kubernetes.io/logical_switch': 'tenant-a',
  };

  test("what the target lacks of the source's identity is filled in, for every provider", () => {
    expect(profile.identity(target({}), source(identity), [])).toEqual({ missing: identity, differing: [] });
  });

  test("also of a second interface on the same network, whose provider ends in the interface's name", () => {
    const second = { 'tenant-a.prod.ovn.net2.kubernetes.io/ip_address': '192.168.50.11' };
    expect(profile.identity(target({}), source(second), []).missing).toEqual(second);
  });

  test('what it has already stays, and what differs is told', () => {
    const has = { ...identity, 'ovn.kubernetes.io/ip_address': '10.16.0.77' };
    const { missing, differing } = profile.identity(target(has), source(identity), []);
    expect(missing).toEqual({});
    expect(differing).toEqual(['ovn.kubernetes.io/ip_address: 10.16.0.77, the source has 10.16.0.9']);
  });

  test.each([
    'ovn.kubernetes.io/routed',
    'ovn.kubernetes.io/ip_address2',
    'ovn.kubernetes.io/security_groups',
    'notovn.kubernetes.io/ip_address',
    'ovn.kubernetes.io.example.com/ip_address',
    'kubevirt.io/migration-target-ready-timestamp',
    'k8s.v1.cni.cncf.io/network-status',
    'ovn-handover.dev/ports',
  ])('%s is no identity and is not copied', (key) => {
    expect(profile.identity(target({}), source({ [key]: 'x' }), [])).toEqual({ missing: {}, differing: [] });
  });

  test('without a source pod, or on pods without annotations, there is nothing to copy', () => {
    expect(profile.identity(target({}), undefined, [])).toEqual({ missing: {}, differing: [] });
    expect(profile.identity(target(undefined), source(identity), []).missing).toEqual(identity);
  });
});

describe('profile generic', () => {
  const profile = profileOf('generic', '{namespace}_{vmi}-nic');

  test("a port is the VM's by its name, after the template", () => {
    expect(profile.condition(VMI)).toEqual(['name', '==', 'prod_web-01-nic']);
    expect(profile.owns(port({ name: 'prod_web-01-nic' }), VMI)).toBe(true);
    expect(profile.owns(port({ name: 'web-01.prod' }), VMI)).toBe(false);
  });

  test("its name says whose it is, if it is a VM's", () => {
    expect(profile.ownerOf(port({ name: 'prod_web-01-nic' }))).toEqual(VMI);
    expect(profile.ownerOf(port({ name: 'prod_web-01.example-nic' }))).toEqual({ ...VMI, name: 'web-01.example' });
    for (const name of [
      '',
      'web-01.prod',
      '_web-01-nic',
      'prod_-nic',
      'prod_web-01-nic2',
      'Prod_web-01-nic',
      'xprod_web-01',
    ]) {
      expect(profile.ownerOf(port({ name }))).toBeUndefined();
    }
  });

  test('what a pattern would take for more than itself stands for itself in a template', () => {
    const dotted = profileOf('generic', '{vmi}.{namespace}.(vm)');
    expect(dotted.ownerOf(port({ name: 'web-01.prod.(vm)' }))).toEqual(VMI);
    expect(dotted.ownerOf(port({ name: 'web-01.prodx(vm)' }))).toBeUndefined();
    expect(dotted.ownerOf(port({ name: 'web-01.prod.vm' }))).toBeUndefined();
  });

  test('every place of the template is filled in', () => {
    const twice = profileOf('generic', '{vmi}.{namespace}.{vmi}');
    expect(twice.condition({ namespace: 'b', name: 'a' })).toEqual(['name', '==', 'a.b.a']);
  });

  const identity = '{"ifaceId":"web-01.prod","mac":"02:00:5e:10:00:01","ips":["192.168.50.10","fd00::10"]}';
  const dualStack = port({ addresses: ['02:00:5e:10:00:01 192.168.50.10 fd00::10'] });

  test('the identity is one annotation of ours, as JSON', () => {
    expect(profile.identity(target({}), undefined, [dualStack])).toEqual({
      missing: { 'ovn-handover.dev/port': identity },
      differing: [],
    });
  });

  test('one that is there already is not written again', () => {
    expect(profile.identity(target({ 'ovn-handover.dev/port': identity }), undefined, [dualStack])).toEqual({
      missing: {},
      differing: [],
    });
  });

  test('another one is told, not overwritten', () => {
    const { missing, differing } = profile.identity(target({ 'ovn-handover.dev/port': '{}' }), undefined, [dualStack]);
    expect(missing).toEqual({});
    expect(differing).toEqual([`ovn-handover.dev/port: {}, the port has ${identity}`]);
  });

  test.each([
    ['no address at all', []],
    ['none that OVN has chosen yet', ['dynamic']],
    ['unknown ones only', ['unknown']],
  ])('a port with %s gives no identity', (_what, addresses) => {
    expect(profile.identity(target({}), undefined, [port({ addresses })])).toEqual({ missing: {}, differing: [] });
  });

  test('a port with a MAC alone gives an identity without addresses', () => {
    const { missing } = profile.identity(target(undefined), undefined, [port({ addresses: ['02:00:5e:10:00:01'] })]);
    expect(JSON.parse(missing['ovn-handover.dev/port']!)).toEqual({
      ifaceId: 'web-01.prod',
      mac: '02:00:5e:10:00:01',
      ips: [],
    });
  });

  test('without a port there is no identity', () => {
    expect(profile.identity(target({}), undefined, [])).toEqual({ missing: {}, differing: [] });
  });
});
