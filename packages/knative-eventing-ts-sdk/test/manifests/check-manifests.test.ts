import { describe, expect, it } from '@jest/globals';
import { checkManifests } from '../../src/index.ts';
import { API_SERVER_SOURCE, BROKER, changed, EXAMPLES, PING_SOURCE, TRIGGER } from './examples.ts';

const lines = (...manifests: unknown[]) =>
  checkManifests(manifests).map(({ manifest, where, what }) => `${manifest} ${where}: ${what}`);

it('has no problem with manifests that fit', () => {
  expect(
    lines(
      ...Object.values(EXAMPLES),
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
      { apiVersion: 'messages.example.com/v1', kind: 'Broker' },
    ),
  ).toEqual([]);
});

it('names the manifest that has a problem', () => {
  expect(lines(BROKER, changed(TRIGGER, '/spec/delivery/retry', -1), undefined)).toEqual([
    'Trigger shop/ship /spec/delivery/retry: must be an integer, 0 or more, is -1',
    'manifest default/ : must be a mapping with apiVersion and kind',
  ]);
});

describe('a Broker that is not there', () => {
  it('is missed where its namespace has one of nearly that name', () => {
    expect(lines(BROKER, changed(TRIGGER, '/spec/broker', 'order'))).toEqual([
      'Trigger shop/ship /spec/broker: is order, but these manifests have no such Broker in namespace shop. Did you mean orders?',
    ]);
    expect(lines(BROKER, changed(PING_SOURCE, '/spec/sink/ref/name', 'oders'))).toEqual([
      'PingSource shop/hourly /spec/sink/ref/name: is oders, but these manifests have no such Broker in namespace shop. Did you mean orders?',
    ]);
    expect(
      lines(
        BROKER,
        changed(changed(API_SERVER_SOURCE, '/spec/sink/ref/namespace', undefined), '/spec/sink/ref/name', 'order'),
      ),
    ).toHaveLength(1);
  });

  it('is not missed otherwise: it may be in the cluster', () => {
    expect(lines(TRIGGER, PING_SOURCE)).toEqual([]);
    expect(lines(BROKER, changed(TRIGGER, '/spec/broker', 'payments'))).toEqual([]);
    expect(lines(BROKER, changed(PING_SOURCE, '/spec/sink/ref/name', 'default'))).toEqual([]);
    expect(
      lines(
        BROKER,
        { ...BROKER, metadata: { name: 'order', namespace: 'shop' } },
        changed(TRIGGER, '/spec/broker', 'order'),
      ),
    ).toEqual([]);
    expect(lines(BROKER, changed(TRIGGER, '/metadata/namespace', 'elsewhere'))).toEqual([]);
  });
});

describe('a source that a Trigger depends on', () => {
  const dependsOn = (name: string) =>
    changed(
      TRIGGER,
      '/metadata/annotations/knative.dev~1dependency',
      JSON.stringify({ ...PING_SOURCE, metadata: undefined, spec: undefined, name }),
    );

  it('is missed where there is one of nearly that name', () => {
    expect(lines(PING_SOURCE, dependsOn('hourly'))).toEqual([]);
    expect(lines(PING_SOURCE, dependsOn('daily'))).toEqual([]);
    expect(lines(PING_SOURCE, dependsOn('hourli'))).toEqual([
      'Trigger shop/ship /metadata/annotations/knative.dev~1dependency: is hourli, but these manifests have no such PingSource in namespace shop. Did you mean hourly?',
    ]);
  });
});

it('passes over a document of comments alone, as kubectl does', () => {
  expect(lines(null, BROKER, null)).toEqual([]);
});

describe('a field that is null', () => {
  it('is not there: blocks of comments alone change nothing', () => {
    const trigger = { ...TRIGGER, spec: { ...TRIGGER.spec, brokerRef: null, filter: null, delivery: null } };
    const source = { ...API_SERVER_SOURCE, spec: { ...API_SERVER_SOURCE.spec, mode: null, owner: null } };
    expect(lines({ ...BROKER, spec: null }, trigger, { ...PING_SOURCE, status: null })).toEqual([]);
    expect(lines(trigger, source)).toEqual([expect.stringContaining('it is not in Resource mode')]);
  });
});

describe('a Trigger that waits for what its sources never send', () => {
  const ACTION = '/spec/filters/0/any/0/exact';
  const referenceMode = changed(API_SERVER_SOURCE, '/spec/mode', undefined);
  const never =
    'Trigger shop/ship /spec/filters/0/any/0/exact/type: is dev.knative.apiserver.resource.add, which ApiServerSource pods does not send: it is not in Resource mode';

  it('is told so: whole objects from a source in Reference mode, which is the default', () => {
    expect(lines(BROKER, TRIGGER, referenceMode)).toEqual([never]);
    expect(lines(BROKER, changed(TRIGGER, `${ACTION}/type`, 'dev.knative.apiserver.ref.add'), referenceMode)).toEqual(
      [],
    );
  });

  it('is told so also in the older filter', () => {
    const older = changed(changed(TRIGGER, '/spec/filters', undefined), '/spec/filter/attributes/kind', 'Pods');
    expect(lines(BROKER, older, API_SERVER_SOURCE)).toEqual([
      'Trigger shop/ship /spec/filter/attributes/kind: is Pods, which ApiServerSource pods does not send. Did you mean Pod?',
    ]);
  });

  it('is told so: a kind that is not watched', () => {
    expect(lines(BROKER, changed(TRIGGER, `${ACTION}/kind`, 'Deployment'), API_SERVER_SOURCE)).toEqual([
      'Trigger shop/ship /spec/filters/0/any/0/exact/kind: is Deployment, which ApiServerSource pods does not send. Sent: Pod.',
    ]);
  });

  it('is not told so of what it excludes, of other types, or where another source sends it', () => {
    const excluded = changed(TRIGGER, '/spec/filters/0', { not: { exact: { kind: 'Deployment' } } });
    expect(lines(BROKER, excluded, API_SERVER_SOURCE)).toEqual([]);
    expect(lines(BROKER, changed(TRIGGER, ACTION, { type: 'com.example.paid' }), API_SERVER_SOURCE)).toEqual([]);
    expect(lines(BROKER, TRIGGER, referenceMode, changed(API_SERVER_SOURCE, '/metadata/name', 'all'))).toEqual([]);
    expect(lines(BROKER, TRIGGER, changed(referenceMode, '/spec/sink/ref/namespace', 'elsewhere'))).toEqual([]);
  });
});
