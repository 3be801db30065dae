import { resources } from '../../../lab/kubernetes-api/resources.ts';
import { fieldSelector, labelSelector } from '../../../lab/kubernetes-api/selectors.ts';

const object = (labels: Record<string, string>, extra: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'one', namespace: 'prod', labels },
  ...extra,
});

const pods = resources.find(({ plural }) => plural === 'pods')!;
const events = resources.find(({ plural }) => plural === 'events')!;

describe('a label selector', () => {
  test.each([
    ['', {}, true],
    ['a=b', { a: 'b' }, true],
    ['a==b', { a: 'b' }, true],
    ['a = b', { a: 'b' }, true],
    ['a=b', { a: 'c' }, false],
    ['a=b', {}, false],
    ['a=', { a: '' }, true],
    ['a!=b', {}, true],
    ['a!=b', { a: 'b' }, false],
    ['a in (b,c)', { a: 'c' }, true],
    ['a in (b, c)', { a: 'd' }, false],
    ['a in (b)', {}, false],
    ['a notin (b,c)', { a: 'b' }, false],
    ['a notin (b,c)', { a: 'd' }, true],
    ['a notin (b,c)', {}, true],
    ['a', { a: '' }, true],
    ['a', {}, false],
    ['!a', {}, true],
    ['!a', { a: 'b' }, false],
    ['a in (b,c),d', { a: 'b', d: '' }, true],
    ['a in (b,c),d', { a: 'b' }, false],
    ['kubevirt.io=virt-launcher,kubevirt.io/migrationJobUID', { 'kubevirt.io': 'virt-launcher' }, false],
    [
      'kubevirt.io=virt-launcher,kubevirt.io/migrationJobUID',
      { 'kubevirt.io': 'virt-launcher', 'kubevirt.io/migrationJobUID': 'x' },
      true,
    ],
    ['constructor', {}, false],
  ])('%j on %j: %j', (selector, labels, expected) => {
    expect(labelSelector(selector)(object(labels as Record<string, string>))).toBe(expected);
  });

  test.each(['a in b', 'a=b=c', '=b', 'a > 1 2', 'a in (b'])('%j is a bad request', (selector) => {
    expect(() => labelSelector(selector)).toThrow(
      expect.objectContaining({ status: expect.objectContaining({ code: 400 }) }),
    );
  });
});

describe('a field selector', () => {
  test('selects by name and namespace', () => {
    expect(fieldSelector(pods, 'metadata.name=one,metadata.namespace=prod')(object({}))).toBe(true);
    expect(fieldSelector(pods, 'metadata.name!=one')(object({}))).toBe(false);
  });

  test('takes a field that is not there as empty', () => {
    expect(fieldSelector(pods, 'spec.nodeName=')(object({}, { spec: {} }))).toBe(true);
    expect(fieldSelector(pods, 'spec.nodeName=worker-a')(object({}, { spec: { nodeName: 'worker-a' } }))).toBe(true);
  });

  test('selects events by the object they are about', () => {
    const event = object({}, { involvedObject: { kind: 'VirtualMachineInstance', uid: 'x' } });
    expect(fieldSelector(events, 'involvedObject.kind=VirtualMachineInstance,involvedObject.uid=x')(event)).toBe(true);
    expect(fieldSelector(events, 'involvedObject.uid=y')(event)).toBe(false);
  });

  test('rejects a field that the API server does not index', () => {
    expect(() => fieldSelector(pods, 'spec.hostname=web-01')).toThrow('field label not supported: spec.hostname');
  });
});
