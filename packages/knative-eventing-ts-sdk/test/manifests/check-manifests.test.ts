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
  it('is missed where its namespace has others', () => {
    expect(lines(BROKER, changed(TRIGGER, '/spec/broker', 'order'))).toEqual([
      'Trigger shop/ship /spec/broker: is order, but these manifests have no such Broker in namespace shop. Did you mean orders?',
    ]);
    expect(lines(BROKER, changed(PING_SOURCE, '/spec/sink/ref/name', 'payments'))).toEqual([
      'PingSource shop/hourly /spec/sink/ref/name: is payments, but these manifests have no such Broker in namespace shop. There: orders.',
    ]);
    expect(
      lines(
        BROKER,
        changed(changed(API_SERVER_SOURCE, '/spec/sink/ref/namespace', undefined), '/spec/sink/ref/name', 'x'),
      ),
    ).toHaveLength(1);
  });

  it('is not missed in a namespace that has none here', () => {
    expect(lines(TRIGGER, PING_SOURCE)).toEqual([]);
    expect(lines(BROKER, changed(TRIGGER, '/metadata/namespace', 'elsewhere'))).toEqual([]);
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
