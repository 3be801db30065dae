import { describe, expect, test } from '@jest/globals';
import { profileOf } from '../../../handover/decision/profile.ts';
import { pod, VMI } from '../../../testkit/moments.ts';
import { port } from '../support/ports.ts';

const source = (annotations: object) => pod('source-running', { metadata: { annotations } });
const target = (annotations?: object) => pod('target-01-created-unscheduled', { metadata: { annotations } });

describe('profile kube-ovn', () => {
  const profile = profileOf('kube-ovn', '');

  test("a VM's ports are found by external_ids:pod, whatever its networks are", () => {
    const condition = ['external_ids', 'includes', { pod: 'prod/web-01' }];
    expect(profile.needsNetworks).toBe(false);
    for (const networks of [[], ['default', 'tenant-a']])
      expect(profile.conditions(VMI, networks)).toEqual([condition]);
  });

  test("a port is its VM's as long as external_ids:pod says what it said when it was read", () => {
    expect(profile.ownership(port())).toEqual(['external_ids', 'includes', { pod: 'prod/web-01' }]);
    const other = port({ externalIds: { pod: 'other/vm', vendor: 'kube-ovn' } });
    expect(profile.ownership(other)).toEqual(['external_ids', 'includes', { pod: 'other/vm' }]);
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

  test('a VM has one port, found by its name after the template, whatever its networks are', () => {
    expect(profile.needsNetworks).toBe(false);
    for (const networks of [[], ['default', 'tenant-a']]) {
      expect(profile.conditions(VMI, networks)).toEqual([['name', '==', 'prod_web-01-nic']]);
    }
  });

  test("a port is its VM's as long as it has the name that was read", () => {
    expect(profile.ownership(port({ name: 'prod_web-01-nic' }))).toEqual(['name', '==', 'prod_web-01-nic']);
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
      'xprod_web-01-nicx',
      'prod_web_01-nic',
      'prod_web/01-nic',
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

describe('profile generic with {network} in the template', () => {
  const profile = profileOf('generic', '{vmi}.{namespace}.{network}');
  const ports = [
    port({ name: 'web-01.prod.default', addresses: ['02:00:5e:10:00:01 192.168.50.10'] }),
    port({ name: 'web-01.prod.tenant-a', addresses: ['02:00:5e:10:00:02 10.0.0.10 fd00::10'] }),
  ];
  const identity =
    '{"default":{"ifaceId":"web-01.prod.default","mac":"02:00:5e:10:00:01","ips":["192.168.50.10"]},' +
    '"tenant-a":{"ifaceId":"web-01.prod.tenant-a","mac":"02:00:5e:10:00:02","ips":["10.0.0.10","fd00::10"]}}';

  test('a VM has a port for each of its networks', () => {
    expect(profile.needsNetworks).toBe(true);
    expect(profile.conditions(VMI, ['default', 'tenant-a'])).toEqual([
      ['name', '==', 'web-01.prod.default'],
      ['name', '==', 'web-01.prod.tenant-a'],
    ]);
    expect(profile.conditions(VMI, [])).toEqual([]);
  });

  test.each([
    ['{vmi}.{namespace}.{network}', 'a.b.prod.Net_1', 'a.b'],
    ['{network}/{namespace}/{vmi}', 'Net_1/prod/a.b', 'a.b'],
    ['{namespace}.{vmi}:{network}', 'prod.a.b:Net_1', 'a.b'],
    ['lsp_{vmi}_{network}_{namespace}', 'lsp_web_Net_1_prod', 'web'],
    ['{network}_{vmi}_{namespace}', 'Net_1_a.b_prod', 'a.b'],
  ])('a name after %s tells whose it is, and KubeVirt’s names of networks fit in', (template, name, vm) => {
    const { conditions, ownerOf } = profileOf('generic', template);
    const reference = { namespace: 'prod', name: vm };
    expect(conditions(reference, ['Net_1'])).toEqual([['name', '==', name]]);
    expect(ownerOf(port({ name }))).toEqual(reference);
  });

  test.each(['web-01.prod', 'web-01.prod.', 'web-01.prod.a/b', 'web-01.prod.a b', '.prod.default'])(
    'a port named %j is no VM’s',
    (name) => {
      expect(profile.ownerOf(port({ name }))).toBeUndefined();
    },
  );

  test('the identity of all ports is one annotation, by network', () => {
    expect(profile.identity(target({}), undefined, ports)).toEqual({
      missing: { 'ovn-handover.dev/port': identity },
      differing: [],
    });
    expect(profile.identity(target({ 'ovn-handover.dev/port': identity }), undefined, ports)).toEqual({
      missing: {},
      differing: [],
    });
  });

  test('a VM of one network has it by network, too', () => {
    const { missing } = profile.identity(target({}), undefined, [ports[0]!]);
    expect(JSON.parse(missing['ovn-handover.dev/port']!)).toEqual({
      default: { ifaceId: 'web-01.prod.default', mac: '02:00:5e:10:00:01', ips: ['192.168.50.10'] },
    });
  });

  test('a port that has no address yet is left out of it', () => {
    const { missing } = profile.identity(target({}), undefined, [ports[0]!, { ...ports[1]!, addresses: ['dynamic'] }]);
    expect(Object.keys(JSON.parse(missing['ovn-handover.dev/port']!))).toEqual(['default']);
  });
});
