import { describe, expect, it } from '@jest/globals';
import type { EventFilter } from 'knative-eventing-ts-sdk';
import { compileFilters } from '../../../lab/knative/filters.ts';

const EVENT = { type: 'dev.example.pod.add', source: '/cluster', kind: 'Pod', id: '1' };

describe('Trigger filters', () => {
  it.each<[string, EventFilter, boolean]>([
    ['exact, equal', { exact: { kind: 'Pod' } }, true],
    ['exact, different', { exact: { kind: 'Node' } }, false],
    ['exact, one of two different', { exact: { kind: 'Pod', source: '/other' } }, false],
    ['exact, attribute absent', { exact: { namespace: 'prod' } }, false],
    ['prefix, matching', { prefix: { type: 'dev.example.' } }, true],
    ['prefix, not at the start', { prefix: { type: 'example.' } }, false],
    ['suffix, matching', { suffix: { type: '.add' } }, true],
    ['suffix, not at the end', { suffix: { type: '.pod' } }, false],
    ['all, one of two', { all: [{ exact: { kind: 'Pod' } }, { suffix: { type: '.delete' } }] }, false],
    ['all, both', { all: [{ exact: { kind: 'Pod' } }, { suffix: { type: '.add' } }] }, true],
    ['any, one of two', { any: [{ exact: { kind: 'Node' } }, { suffix: { type: '.add' } }] }, true],
    ['any, none', { any: [{ exact: { kind: 'Node' } }, { suffix: { type: '.delete' } }] }, false],
    ['not, matching inside', { not: { exact: { kind: 'Pod' } } }, false],
    ['not, absent inside', { not: { exact: { namespace: 'prod' } } }, true],
  ])('%s', (_, filter, expected) => {
    expect(compileFilters({ filters: [filter] }, 'spec')(EVENT)).toBe(expected);
  });

  it('want everything when there are none', () => {
    expect(compileFilters({}, 'spec')(EVENT)).toBe(true);
    expect(compileFilters({ filter: {} }, 'spec')(EVENT)).toBe(true);
  });

  it('must all match', () => {
    const wants = compileFilters({ filters: [{ exact: { kind: 'Pod' } }, { exact: { source: '/other' } }] }, 'spec');
    expect(wants(EVENT)).toBe(false);
  });

  it('take an empty string in filter.attributes for any value, but not for none', () => {
    expect(compileFilters({ filter: { attributes: { kind: 'Pod', source: '' } } }, 'spec')(EVENT)).toBe(true);
    expect(compileFilters({ filter: { attributes: { namespace: '' } } }, 'spec')(EVENT)).toBe(false);
    expect(compileFilters({ filter: { attributes: { kind: 'Node' } } }, 'spec')(EVENT)).toBe(false);
  });

  it('let filters override filter', () => {
    const spec = { filter: { attributes: { kind: 'Node' } }, filters: [{ exact: { kind: 'Pod' } }] };
    expect(compileFilters(spec, 'spec')(EVENT)).toBe(true);
  });

  it('must not be in CESQL, which is not known here, wherever it stands', () => {
    const filters = [{ any: [{ not: { cesql: "kind = 'Pod'" } }] }];
    expect(() => compileFilters({ filters }, 'Trigger shop/odd: spec')).toThrow('spec: a filter in CESQL is not known');
  });
});
