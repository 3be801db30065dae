import { describe, expect, it } from '@jest/globals';
import { source } from './support/source.ts';

describe('an ApiServerSource that this stand-in cannot serve', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['in Reference mode', { mode: 'Reference' }, "spec.mode: must be 'Resource'"],
    ['with filters', { filters: [] }, "spec: 'filters' is not known here"],
    ['with namespaces by label', { namespaceSelector: { matchLabels: { a: 'b' } } }, 'must be {} or absent'],
    ['with an owner', { owner: { apiVersion: 'apps/v1', kind: 'ReplicaSet' } }, "spec: 'owner' is not known here"],
  ])('is rejected: %s', (_, spec, message) => {
    expect(() => source(spec)).toThrow(message);
  });

  it('adds extensions to its events', () => {
    expect(source({ ceOverrides: { extensions: { pods: 'all' } } }).extensions).toEqual({ pods: 'all' });
    expect(source({}).extensions).toEqual({});
  });

  it('watches its own namespace when it has no selector', () => {
    const { resources } = source({ namespaceSelector: undefined });
    expect(resources.map(({ path }) => path)).toEqual([
      '/apis/kubevirt.io/v1/namespaces/ovn-handover/virtualmachineinstancemigrations',
      '/api/v1/namespaces/ovn-handover/pods',
    ]);
  });
});
