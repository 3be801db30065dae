import { describe, expect, it } from '@jest/globals';
import { checkManifest, MalformedManifestError, parseManifest, type Trigger } from '../../src/index.ts';
import { mapping, required, text } from '../../src/manifests/check.ts';
import { API_SERVER_SOURCE, BROKER, changed, EXAMPLES, PING_SOURCE, TRIGGER } from './examples.ts';

const lines = (manifest: unknown) => checkManifest(manifest).map(({ where, what }) => `${where}: ${what}`);

describe('a manifest that is right', () => {
  it.each(Object.entries(EXAMPLES))('has no problems: %s', (_, manifest) => {
    expect(lines(manifest)).toEqual([]);
  });

  it.each([
    ['a Broker of nothing but a name', { ...BROKER, metadata: { name: 'b' }, spec: {} }],
    ['one without a spec', { ...BROKER, spec: undefined }],
    ['what the API server adds', { ...BROKER, metadata: { ...BROKER.metadata, uid: 'x', generation: 1 }, status: {} }],
    ['a Trigger for every event', { ...TRIGGER, spec: { broker: 'b', subscriber: { uri: 'https://example.com/in' } } }],
    [
      'the older filter',
      changed(changed(TRIGGER, '/spec/filters', undefined), '/spec/filter', { attributes: { type: '' } }),
    ],
    ['another kind', { apiVersion: 'v1', kind: 'ConfigMap', anything: 'goes' }],
    ['a Broker of somebody else', { apiVersion: 'messages.example.com/v1', kind: 'Broker' }],
    ['another kind of Knative', { apiVersion: 'sources.knative.dev/v1', kind: 'ContainerSource' }],
  ])('has none either: %s', (_, manifest) => {
    expect(lines(manifest)).toEqual([]);
    expect(lines(JSON.parse(JSON.stringify(manifest)))).toEqual([]);
  });

  it.each([undefined, null])('must still have what it has to have: a field that is %s is not there', (nothing) => {
    expect(lines({ ...TRIGGER, spec: { ...TRIGGER.spec, subscriber: nothing } })).toEqual([
      '/spec: must have subscriber',
    ]);
    expect(lines({ ...TRIGGER, spec: nothing })).toEqual([': must have spec']);
  });

  // Seen with a kube-apiserver and Knative's own CRDs, which drops these fields.
  it.each<[unknown, string]>([
    [BROKER, '/spec'],
    [BROKER, '/spec/config'],
    [BROKER, '/spec/delivery'],
    [BROKER, '/metadata/annotations'],
    [BROKER, '/metadata/labels'],
    [TRIGGER, '/spec/filters'],
    [TRIGGER, '/spec/filter'],
    [TRIGGER, '/spec/brokerRef'],
    [TRIGGER, '/spec/delivery/deadLetterSink'],
    [TRIGGER, '/spec/delivery/timeout'],
    [TRIGGER, '/spec/subscriber/uri'],
    [API_SERVER_SOURCE, '/spec/mode'],
    [API_SERVER_SOURCE, '/spec/owner'],
    [API_SERVER_SOURCE, '/spec/namespaceSelector'],
    [API_SERVER_SOURCE, '/spec/resources/0/selector'],
    [API_SERVER_SOURCE, '/spec/filters'],
    [API_SERVER_SOURCE, '/spec/ceOverrides'],
    [PING_SOURCE, '/spec/schedule'],
    [PING_SOURCE, '/spec/dataBase64'],
    [PING_SOURCE, '/status'],
  ])('may have null for what it need not have: %#', (manifest, where) => {
    expect(lines(changed(manifest, where, null))).toEqual([]);
  });

  it.each([
    ['kafka.eventing.knative.dev/external.topic', 'orders', BROKER],
    ['eventing.knative.dev/broker.class', 'Kafka', BROKER],
    ['messaging.knative.dev/async-handler', 'false', BROKER],
    ['kafka.eventing.knative.dev/delivery.order', 'ordered', TRIGGER],
    ['eventing.knative.dev/injection', 'enabled', TRIGGER],
    ['eventing.knative.dev/creator', 'me', TRIGGER],
    ['features.knative.dev/apiserversource-skip-permissions-check', 'true', API_SERVER_SOURCE],
  ])('may have the annotation %s', (key, value, manifest) => {
    expect(lines({ ...manifest, metadata: { name: 'a', annotations: { [key]: value } } })).toEqual([]);
  });

  it.each([
    ['v1', 'Pod'],
    ['v1', 'Event'],
    ['events.k8s.io/v1', 'Event'],
    ['apps/v1', 'Deployment'],
    ['autoscaling/v1', 'HorizontalPodAutoscaler'],
    ['autoscaling/v2', 'HorizontalPodAutoscaler'],
    ['serving.knative.dev/v1', 'Service'],
    ['route.openshift.io/v1', 'Route'],
    ['operators.coreos.com/v1alpha1', 'Subscription'],
    ['kubevirt.io/v1', 'VirtualMachineInstance'],
    ['apps/v2', 'SomethingNew'],
    ['eventing.knative.dev/v1beta3', 'EventType'],
  ])('may watch %s %s', (apiVersion, kind) => {
    expect(lines(changed(API_SERVER_SOURCE, '/spec/resources/0', { apiVersion, kind }))).toEqual([]);
  });
});

describe('a typo', () => {
  /** Places where any key is right. */
  const FREE = /\/(labels|annotations|matchLabels|exact|prefix|suffix|extensions)$/;

  function* keys(value: unknown, where = ''): Generator<[string, string]> {
    if (typeof value !== 'object' || value === null || FREE.test(where)) return;
    for (const [key, inner] of Object.entries(value)) {
      if (!Array.isArray(value)) yield [where, key];
      yield* keys(inner, `${where}/${key}`);
    }
  }

  it.each(Object.entries(EXAMPLES))('in any key of a manifest is found: %s', (_, manifest) => {
    for (const [where, key] of keys(manifest)) {
      const at = where
        .split('/')
        .slice(1)
        .reduce<unknown>((inner, name) => (inner as Record<string, unknown>)[name], manifest);
      const value = (at as Record<string, unknown>)[key];
      for (const typo of [key.slice(0, -1), `${key}s`, key.toUpperCase(), `_${key}`]) {
        const broken = changed(changed(manifest, `${where}/${key}`, undefined), `${where}/${typo}`, value);
        expect({ where, typo, found: checkManifest(broken).length > 0 }).toEqual({ where, typo, found: true });
      }
    }
  });

  it.each([
    ['/spec/delivery/retries', 3, TRIGGER, 'is not known here, and Knative would pass over it. Did you mean retry?'],
    ['/spec/filtres', [], TRIGGER, 'is not known here, and Knative would pass over it. Did you mean filters?'],
    [
      '/spec/subscriber/service',
      'x',
      TRIGGER,
      'is not known here, and Knative would pass over it. Known here: ref, uri, CACerts, audience.',
    ],
    [
      '/spec/resources/0/labelSelector',
      {},
      API_SERVER_SOURCE,
      'is not known here, and Knative would pass over it. Known here: apiVersion, kind, selector.',
    ],
    [
      '/spec/mode',
      'Resources',
      API_SERVER_SOURCE,
      'must be Reference or Resource, is "Resources". Did you mean Resource?',
    ],
    [
      '/spec/delivery/backoffPolicy',
      'exponental',
      BROKER,
      'must be linear or exponential, is "exponental". Did you mean exponential?',
    ],
    [
      '/spec/filters/0/any/0/exact/type',
      'dev.knative.apiserver.resource.added',
      TRIGGER,
      'is "dev.knative.apiserver.resource.added", a type that no source sends. Did you mean dev.knative.apiserver.resource.add?',
    ],
    ['/metadata/name', 'Orders', BROKER, /must be a name of lower-case letters/],
    ['/kind', 'Triger', TRIGGER, 'is Triger. Did you mean Trigger?'],
    [
      '/apiVersion',
      'eventing.knativ.dev/v1',
      TRIGGER,
      'is eventing.knativ.dev/v1, but a Trigger is of eventing.knative.dev/v1',
    ],
    [
      '/apiVersion',
      'eventing.knative.dev/v1beta1',
      BROKER,
      'is eventing.knative.dev/v1beta1, but a Broker is of eventing.knative.dev/v1',
    ],
    [
      '/apiVersion',
      'eventing.knative.dev/v1',
      PING_SOURCE,
      'is eventing.knative.dev/v1, but a PingSource is of sources.knative.dev/v1',
    ],
  ])('is told where it is, and what was meant: %s', (where, value, manifest, what) => {
    expect(checkManifest(changed(manifest, where, value))).toEqual([
      { where, what: typeof what === 'string' ? what : expect.stringMatching(what) },
    ]);
  });

  it.each<[unknown, string, object, string, string]>([
    [
      API_SERVER_SOURCE,
      '/spec/resources/0',
      { apiVersion: 'v1', kind: 'Deployment' },
      'apiVersion',
      'is v1, but a Deployment is of apps/v1',
    ],
    [
      API_SERVER_SOURCE,
      '/spec/resources/0',
      { apiVersion: 'apps/v1', kind: 'Pod' },
      'apiVersion',
      'is apps/v1, but a Pod is of v1',
    ],
    [
      API_SERVER_SOURCE,
      '/spec/resources/0',
      { apiVersion: 'apps/v1beta1', kind: 'Deployment' },
      'apiVersion',
      'is apps/v1beta1, but a Deployment is of apps/v1',
    ],
    [
      API_SERVER_SOURCE,
      '/spec/resources/0',
      { apiVersion: 'batch/v1', kind: 'Event' },
      'apiVersion',
      'is batch/v1, but a Event is of v1 or events.k8s.io',
    ],
    [
      API_SERVER_SOURCE,
      '/spec/resources/0',
      { apiVersion: 'v1', kind: 'Pods' },
      'kind',
      'is Pods, which v1 does not have. Did you mean Pod?',
    ],
    [
      API_SERVER_SOURCE,
      '/spec/resources/0',
      { apiVersion: 'v1', kind: 'VirtualMachineInstance' },
      'kind',
      'is VirtualMachineInstance, which v1 does not have.',
    ],
    [
      API_SERVER_SOURCE,
      '/spec/owner',
      { apiVersion: 'v1', kind: 'ReplicaSet' },
      'apiVersion',
      'is v1, but a ReplicaSet is of apps/v1',
    ],
    [
      PING_SOURCE,
      '/spec/sink/ref',
      { apiVersion: 'v1', kind: 'Broker', name: 'b' },
      'apiVersion',
      'is v1, but a Broker is of eventing.knative.dev/v1',
    ],
    [
      PING_SOURCE,
      '/spec/sink/ref',
      { apiVersion: 'servng.knative.dev/v1', kind: 'Service', name: 's' },
      'apiVersion',
      'is servng.knative.dev/v1, but a Service is of v1 or serving.knative.dev/v1',
    ],
    [
      TRIGGER,
      '/spec/subscriber/ref',
      { apiVersion: 'eventing.knative.dev/v1', kind: 'Service', name: 's' },
      'apiVersion',
      'is eventing.knative.dev/v1, but a Service is of v1 or serving.knative.dev/v1',
    ],
    [
      BROKER,
      '/spec/config',
      { apiVersion: 'apps/v1', kind: 'ConfigMap', name: 'c' },
      'apiVersion',
      'is apps/v1, but a ConfigMap is of v1',
    ],
  ])('in the API version of a kind is found: %#', (manifest, where, pair, field, what) => {
    expect(checkManifest(changed(manifest, where, pair))).toEqual([{ where: `${where}/${field}`, what }]);
  });

  it.each([
    ['v1', 'Broker', 'is v1, but a Broker is of eventing.knative.dev/v1'],
    ['messaging.knative.dev/v1', 'Trigger', 'is messaging.knative.dev/v1, but a Trigger is of eventing.knative.dev/v1'],
    [
      'eventing.knative.dev/v1',
      'Subscription',
      'is eventing.knative.dev/v1, but a Subscription is of messaging.knative.dev/v1',
    ],
    ['v1', 'Deployment', 'is v1, but a Deployment is of apps/v1'],
  ])('in the API version of a manifest is found: %s %s', (apiVersion, kind, what) => {
    expect(checkManifest({ apiVersion, kind, metadata: { name: 'a' } })).toEqual([{ where: '/apiVersion', what }]);
  });

  it('in a condition in CESQL is found, however deep', () => {
    const where = '/spec/filters/1/all/1/not/cesql';
    expect(lines(changed(TRIGGER, where, "name LIKE 'a%"))).toEqual([
      `${where}: is no condition in CESQL: the text that ' begins has no end, at character 11`,
    ]);
    expect(lines(changed(TRIGGER, where, 'subject'))).toEqual([
      `${where}: is no condition in CESQL: results in a text; must be true or false, e.g. subject = 'a'`,
    ]);
    expect(lines(changed(API_SERVER_SOURCE, '/spec/filters', [{ cesql: '' }]))).toHaveLength(1);
  });

  it('in an annotation of Knative is found, and those of others are left alone', () => {
    const manifest = {
      ...BROKER,
      metadata: {
        name: 'b',
        annotations: { 'messaging.knative.dev/asynchandler': 'true', 'example.com/async-handler': '1' },
      },
    };
    expect(checkManifest(manifest)).toEqual([
      {
        where: '/metadata/annotations/messaging.knative.dev~1asynchandler',
        what: 'is not known to Knative. Did you mean messaging.knative.dev/async-handler?',
      },
    ]);
  });
});

describe('the annotation by which a Trigger depends on a source', () => {
  const where = '/metadata/annotations/knative.dev~1dependency';
  const SOURCE = { apiVersion: 'sources.knative.dev/v1', kind: 'PingSource', name: 'hourly' };
  const example = '{"apiVersion":"sources.knative.dev/v1","kind":"PingSource","name":"hourly"}';

  it.each([SOURCE, { ...SOURCE, namespace: 'shop' }, { ...SOURCE, uid: '1', resourceVersion: '2' }])(
    'names it in JSON: %j',
    (source) => {
      expect(lines(changed(TRIGGER, where, JSON.stringify(source)))).toEqual([]);
    },
  );

  it.each<[unknown, string]>([
    ['PingSource/hourly', `must be JSON such as ${example}`],
    ['"hourly"', `must be JSON such as ${example}`],
    ['{', `must be JSON such as ${example}`],
    [{ ...SOURCE, name: undefined }, 'is JSON whose object must have name'],
    [{ ...SOURCE, name: '' }, 'is JSON whose /name must be a name, is ""'],
    [
      { ...SOURCE, Kind: 'x' },
      'is JSON whose /Kind is not known here, and Knative would pass over it. Did you mean kind?',
    ],
    [
      { ...SOURCE, apiVersion: 'eventing.knative.dev/v1' },
      'is JSON whose /apiVersion is eventing.knative.dev/v1, but a PingSource is of sources.knative.dev/v1',
    ],
    [{ ...SOURCE, namespace: 'bank' }, 'names namespace bank; must be that of the Trigger, shop'],
  ])('is a problem where it does not: %j', (source, what) => {
    const text = typeof source === 'string' ? source : JSON.stringify(source);
    expect(checkManifest(changed(TRIGGER, where, text))).toEqual([{ where, what }]);
  });
});

describe('what means something else than it seems', () => {
  it.each<[string, unknown, string, unknown, string]>([
    [
      'backoffPolicy alone',
      TRIGGER,
      '/spec/delivery',
      { retry: 3, backoffPolicy: 'linear' },
      '/spec/delivery: must have backoffDelay too: with one of the two, retries come at once',
    ],
    [
      'backoffDelay alone',
      TRIGGER,
      '/spec/delivery',
      { retry: 3, backoffDelay: 'PT1S' },
      '/spec/delivery: must have backoffPolicy too: with one of the two, retries come at once',
    ],
    [
      'a back-off without retry',
      BROKER,
      '/spec/delivery',
      { backoffPolicy: 'linear', backoffDelay: 'PT1S' },
      '/spec/delivery: must have retry: without it an event is sent once',
    ],
    [
      'filter beside filters',
      TRIGGER,
      '/spec/filter',
      { attributes: { kind: 'Pod' } },
      '/spec/filter: has no effect beside filters',
    ],
    [
      'two dialects in one filter',
      TRIGGER,
      '/spec/filters',
      [{ exact: { a: 'b' }, prefix: { a: 'b' } }],
      '/spec/filters/0: must have one dialect, has exact and prefix',
    ],
    ['a filter without a dialect', TRIGGER, '/spec/filters', [{}], '/spec/filters/0: must have one dialect, has none'],
    [
      'a filter that names nothing',
      TRIGGER,
      '/spec/filters',
      [{ exact: {} }],
      '/spec/filters/0/exact: must name an attribute',
    ],
    ['any of nothing', TRIGGER, '/spec/filters', [{ any: [] }], '/spec/filters/0/any: must have something in it'],
    [
      'In without values',
      API_SERVER_SOURCE,
      '/spec/namespaceSelector',
      { matchExpressions: [{ key: 'a', operator: 'In' }] },
      '/spec/namespaceSelector/matchExpressions/0: must have values for operator In',
    ],
    [
      'Exists with values',
      API_SERVER_SOURCE,
      '/spec/namespaceSelector',
      { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['b'] }] },
      '/spec/namespaceSelector/matchExpressions/0: must not have values for operator Exists',
    ],
    [
      'a sink of two kinds',
      PING_SOURCE,
      '/spec/sink/uri',
      'http://example.com',
      '/spec/sink: must not have both ref and an absolute uri',
    ],
    ['a sink that is none', PING_SOURCE, '/spec/sink', {}, '/spec/sink: must have ref or uri'],
    [
      'a path for a sink',
      PING_SOURCE,
      '/spec/sink',
      { uri: '/in' },
      '/spec/sink/uri: must be absolute where there is no ref, is "/in"',
    ],
    [
      'a URI without a host',
      PING_SOURCE,
      '/spec/sink',
      { uri: 'mailto:me' },
      '/spec/sink/uri: must be absolute where there is no ref, is "mailto:me"',
    ],
    [
      'a Broker of another group',
      PING_SOURCE,
      '/spec/sink/ref/apiVersion',
      'eventing.knative.dev/v2',
      '/spec/sink/ref/apiVersion: is eventing.knative.dev/v2, but a Broker is of eventing.knative.dev/v1',
    ],
    [
      'group beside apiVersion',
      PING_SOURCE,
      '/spec/sink/ref/group',
      'eventing.knative.dev',
      '/spec/sink/ref: must not have both apiVersion and group',
    ],
    ['no apiVersion', PING_SOURCE, '/spec/sink/ref/apiVersion', undefined, '/spec/sink/ref: must have apiVersion'],
    ['data twice', PING_SOURCE, '/spec/dataBase64', 'e30=', '/spec: must not have both data and dataBase64'],
    [
      'data that is no JSON',
      PING_SOURCE,
      '/spec/data',
      'sweep',
      '/spec/data: must be a JSON object, because contentType is application/json',
    ],
    [
      'data that is a list',
      PING_SOURCE,
      '/spec/data',
      '[]',
      '/spec/data: must be a JSON object, because contentType is application/json',
    ],
    ['no broker', TRIGGER, '/spec/broker', undefined, '/spec: must have broker'],
    [
      'a Broker twice',
      TRIGGER,
      '/spec/brokerRef',
      { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'b' },
      '/spec: must not have both broker and brokerRef',
    ],
    ['no name', TRIGGER, '/metadata', { namespace: 'shop' }, '/metadata: must have name'],
  ])('is a problem: %s', (_, manifest, where, value, line) => {
    expect(lines(changed(manifest, where, value))).toEqual([line]);
  });
});

describe('a value that cannot be', () => {
  it.each<[unknown, string, unknown, string]>([
    [TRIGGER, '/spec/delivery/retry', -1, 'must be an integer, 0 or more, is -1'],
    [TRIGGER, '/spec/delivery/retry', '3', 'must be an integer, 0 or more, is "3"'],
    [
      TRIGGER,
      '/spec/delivery/backoffDelay',
      '200ms',
      'must be an ISO 8601 duration such as PT0.2S or PT1M, is "200ms"',
    ],
    [TRIGGER, '/spec/delivery/timeout', 'PT0S', 'must be longer than nothing, is PT0S'],
    [
      TRIGGER,
      '/spec/filters/0/any/0/exact/Type',
      'x',
      'must be an attribute: lower-case letters and digits, a letter first, is "Type"',
    ],
    [TRIGGER, '/spec/filters/0/any/0/exact/kind', true, 'must be a text that is not empty, is true'],
    [TRIGGER, '/spec/filters', { exact: {} }, 'must be a list, is an object'],
    [TRIGGER, '/spec/subscriber', [], 'must be a mapping, is an array'],
    [TRIGGER, '/spec/filters/0', null, 'must be a mapping, is null'],
    [TRIGGER, '/spec/filters/0/any/0/exact/kind', null, 'must be a text that is not empty, is null'],
    [BROKER, '/metadata/annotations/messaging.knative.dev~1async-handler', true, 'must be a text, is true'],
    [BROKER, '/metadata/annotations/messaging.knative.dev~1async-handler', 'yes', 'must be true or false, is "yes"'],
    [BROKER, '/metadata/labels/-', 'x', 'must be a label key, such as app or example.com/app, is "-"'],
    [API_SERVER_SOURCE, '/spec/resources', [], 'must have something in it'],
    [
      API_SERVER_SOURCE,
      '/spec/resources/0/kind',
      'pods',
      'must be a kind, in the singular and with a capital letter, such as Pod, is "pods"',
    ],
    [
      API_SERVER_SOURCE,
      '/spec/resources/0/apiVersion',
      'core/v1/pods',
      'must be an API version, such as v1 or serving.knative.dev/v1, is "core/v1/pods"',
    ],
    [
      API_SERVER_SOURCE,
      '/spec/resources/0/selector/matchExpressions/0/operator',
      'Exist',
      'must be In or NotIn or Exists or DoesNotExist, is "Exist". Did you mean Exists?',
    ],
    [
      API_SERVER_SOURCE,
      '/spec/ceOverrides/extensions/my-cluster',
      'x',
      'must be an attribute: lower-case letters and digits, a letter first, is "my-cluster"',
    ],
    [PING_SOURCE, '/spec/timezone', 'Vienna', 'must be a time zone such as Europe/Vienna, is "Vienna"'],
    [PING_SOURCE, '/spec/dataBase64', '%', 'must be base64'],
  ])('is named: %#', (manifest, where, value, what) => {
    const base = where === '/spec/dataBase64' ? changed(manifest, '/spec/data', undefined) : manifest;
    expect(checkManifest(changed(base, where, value))).toEqual([{ where, what }]);
  });

  it.each([
    [undefined, 'must be a mapping with apiVersion and kind'],
    ['Broker', 'must be a mapping with apiVersion and kind'],
    [{ kind: 'Broker' }, 'must have apiVersion'],
    [{ apiVersion: 'v1' }, 'must have kind'],
  ])('is named also where there is no manifest at all: %j', (manifest, what) => {
    expect(checkManifest(manifest)).toEqual([{ where: '', what }]);
  });
});

describe('a manifest that is wanted as one of its kind', () => {
  it('is had with its type where nothing is wrong', () => {
    const broker: string | undefined = parseManifest('Trigger', JSON.parse(JSON.stringify(TRIGGER))).spec.broker;
    expect(broker).toBe('orders');
  });

  it('is had without the fields that are null', () => {
    const trigger = parseManifest('Trigger', { ...TRIGGER, spec: { ...TRIGGER.spec, delivery: null } });
    expect(trigger.spec).not.toHaveProperty('delivery');
  });

  it.each([
    [
      changed(TRIGGER, '/spec/delivery/retry', -1),
      'Trigger shop/ship /spec/delivery/retry: must be an integer, 0 or more',
    ],
    [BROKER, 'Broker shop/orders /kind: is Broker, expected Trigger'],
    [
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' } },
      'ConfigMap default/c /kind: is ConfigMap, expected',
    ],
    [undefined, 'manifest default/ : must be a mapping'],
  ])('is an error that names it otherwise: %#', (manifest, message) => {
    expect(() => parseManifest('Trigger', manifest)).toThrow(MalformedManifestError);
    expect(() => parseManifest('Trigger', manifest)).toThrow(message);
  });
});

it('does not take what every JavaScript object has for a field', () => {
  const manifest = JSON.parse('{"apiVersion":"eventing.knative.dev/v1","kind":"constructor"}');
  expect(checkManifest(manifest)).toEqual([]);
  expect(lines(JSON.parse(JSON.stringify(TRIGGER).replace('"filters"', '"toString"')))).toEqual([
    expect.stringContaining('/spec/toString: is not known here'),
  ]);
});

it('lets the compiler keep checks and interfaces the same', () => {
  // @ts-expect-error a field of the interface that no check knows
  mapping<{ a: string; b?: string }>({ a: required(text) });
  // @ts-expect-error a check of a field that the interface does not have
  mapping<{ a: string }>({ a: required(text), b: text });
  // @ts-expect-error a field that must be there, and a check that does not ask for it
  mapping<{ a: string }>({ a: text });
  // @ts-expect-error a mode of delivery that there is not
  const policy: NonNullable<Trigger['spec']['delivery']>['backoffPolicy'] = 'sometimes';
  expect(policy).toBe('sometimes');
});
