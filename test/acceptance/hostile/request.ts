import fc from 'fast-check';
import { OPT_IN_ANNOTATION } from '../../../handover/decision/kubevirt.ts';
import { HEADERS } from '../../../testkit/function-process.ts';
import { object } from '../../../testkit/moments.ts';

/** One request that a function may get from whoever reaches it. */
export interface HostileRequest {
  /** For the summary. */
  readonly kind: string;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** What the cluster holds that an attacker would name. */
export interface Victims {
  readonly vms: readonly { readonly namespace: string; readonly name: string; readonly uid: string }[];
  readonly migrations: readonly string[];
  /** Rows of ports and bindings. */
  readonly rows: readonly string[];
  readonly nodes: readonly string[];
}

type Json = Record<string, unknown>;

/** Names made to break out of a path, a query, a label selector, a log line or an object. */
const BAD_NAMES = [
  ...[
    '',
    ' ',
    '.',
    '..',
    '../web-01',
    '../../../pods/web-01',
    '%2e%2e%2f',
    '%2fweb-01',
    'web-01/status',
    'web-01?watch=1',
  ],
  ...[
    'web-01&fieldManager=x',
    'web-01#',
    'web-01,kubevirt.io/vmi-name',
    'web-01=x',
    'a!=b',
    'x in (a,b)',
    '*',
    '$&',
    '$(id)',
  ],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'web-01\n',
    'web-01\r\nX: y',
    'web-01\u0000',
    'Web-01',
    '-web',
    'web-',
  ],
  ...[
    'wéb-01',
    'ᴡeb-01',
    '\u202eweb',
    '\ud800',
    '💥',
    'a'.repeat(254),
    'a'.repeat(300),
    'x'.repeat(64),
    '"',
    "'; drop",
    '\\',
    '[]',
    '{}',
  ],
];
const badName = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...BAD_NAMES) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
);
const badValue: fc.Arbitrary<unknown> = fc.oneof(
  badName,
  fc.constantFrom<unknown>(null, true, 0, -1, 1e308, [], {}, [[]], [null], { length: 1 }, nest(200)),
  fc.jsonValue({ maxDepth: 3 }),
);

function nest(depth: number): unknown {
  let value: unknown = 'deep';
  for (let level = 0; level < depth; level++) value = level % 2 ? [value] : { a: value };
  return value;
}

const FIXTURES = [
  'vmim-01-pending',
  'vmim-03-scheduled',
  'vmim-06-running',
  'vmim-07a-succeeded-first-event',
  'vmim-08-failed',
  'vmi-01-idle',
  'vmi-05-switched-domain-ready',
  'vmi-07-completed',
  'pod-source-running',
  'pod-target-02-scheduled',
  'pod-target-05-active-after-migration',
  'pod-hotplug-attachment-EXCLUDE',
].map((name) => object(name) as Json);

/** Requests to send; the same ones for the same seed. */
export function hostileRequest(victims: Victims): fc.Arbitrary<HostileRequest> {
  const type = fc.constantFrom('add', 'update', 'delete').map((action) => `dev.knative.apiserver.resource.${action}`);
  const real = about(victims);
  const event = (kind: string, data: fc.Arbitrary<unknown>): fc.Arbitrary<HostileRequest> =>
    fc.record({ type, data, mode: fc.constantFrom('binary', 'structured') }).map(({ type, data, mode }) => {
      const text = JSON.stringify(data) ?? '';
      const binary = post(kind, { ...HEADERS, 'ce-type': type }, text);
      return mode === 'binary' || text === '' ? binary : structured(kind, `{${ATTRIBUTES(type)},"data":${text}}`);
    });
  return fc.oneof(
    { weight: 48, arbitrary: event('a replay, or a lie about a real VM', real) },
    { weight: 48, arbitrary: event('a forged pod', forgedPod(victims)) },
    { weight: 48, arbitrary: event('a wrong value somewhere', fc.tuple(real, fc.nat(), badValue).map(spoil)) },
    { weight: 36, arbitrary: event('a name that breaks out', fc.tuple(real, fc.nat(), badName).map(rename)) },
    {
      weight: 12,
      arbitrary: event(
        'a key that every object has',
        fc.tuple(real, fc.nat()).map(([data]) => pollute(data)),
      ),
    },
    {
      weight: 12,
      arbitrary: event('a VM that is not there', fc.tuple(real, fc.stringMatching(/^[a-z0-9]{1,20}$/)).map(elsewhere)),
    },
    { weight: 18, arbitrary: event('any JSON at all', fc.jsonValue()) },
    {
      weight: 24,
      arbitrary: fc
        .tuple(real, brokenHeaders)
        .map(([data, headers]) => post('broken headers', headers, JSON.stringify(data))),
    },
    { weight: 24, arbitrary: brokenBody },
    {
      weight: 18,
      arbitrary: fc.tuple(real, fc.constantFrom('ping', 'ref', 'order')).map(([data, other]) => foreign(data, other)),
    },
    { weight: 12, arbitrary: otherMethod },
    {
      weight: 1,
      arbitrary: fc
        .tuple(real, fc.constantFrom('a label', 'owners', 'a hint', 'blanks', 'beyond'))
        .map(([data, what]) => huge(data, what)),
    },
  );
}

/** A fixture with the identity of something that is there, and all that it says of it a lie. */
function about({ vms, migrations, nodes }: Victims): fc.Arbitrary<Json> {
  return fc
    .record({
      fixture: fc.constantFrom(...FIXTURES),
      vm: fc.constantFrom(...vms),
      migration: fc.constantFrom(...migrations),
      node: fc.constantFrom(...nodes, 'nowhere'),
      mine: fc.boolean(),
    })
    .map(({ fixture, vm, migration, node, mine }) => {
      const copy = structuredClone(fixture);
      const metadata = { ...(copy.metadata as Json), namespace: vm.namespace };
      if (copy.kind === 'VirtualMachineInstanceMigration') {
        return { ...copy, metadata: { ...metadata, uid: migration }, spec: { vmiName: vm.name } };
      }
      if (copy.kind === 'VirtualMachineInstance') {
        const status = { ...(copy.status as Json), nodeName: node };
        return { ...copy, metadata: { ...metadata, name: vm.name, annotations: { [OPT_IN_ANNOTATION]: '' } }, status };
      }
      const owner = { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance', name: vm.name, controller: true };
      const uid = mine ? vm.uid : '00000000-0000-4000-8000-000000000000';
      return { ...copy, metadata: { ...metadata, ownerReferences: [{ ...owner, uid }] }, spec: { nodeName: node } };
    });
}

/** A tenant's pod that says of itself that it is a migration's target, and where the ports are. */
function forgedPod({ vms, migrations, rows, nodes }: Victims): fc.Arbitrary<Json> {
  const id = fc.oneof(fc.constantFrom(...rows), fc.uuid(), badName);
  const hint = fc.oneof(
    fc.record({ ports: fc.array(id, { maxLength: 70 }), bindings: fc.array(id, { maxLength: 4 }) }),
    badValue,
  );
  return fc
    .record({
      vm: fc.constantFrom(...vms),
      namespace: fc.constantFrom(...vms.map(({ namespace }) => namespace), 'tenant'),
      migration: fc.constantFrom(...migrations, ''),
      node: fc.constantFrom(...nodes),
      kind: fc.constantFrom('VirtualMachineInstance', 'ReplicaSet'),
      owners: fc.integer({ min: 0, max: 3 }),
      hint,
      raw: fc.boolean(),
    })
    .map(({ vm, namespace, migration, node, kind, owners, hint, raw }) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: `virt-launcher-${vm.name}-forged`,
        namespace,
        uid: '11111111-0000-4000-8000-000000000000',
        labels: {
          'kubevirt.io': 'virt-launcher',
          'kubevirt.io/created-by': vm.uid,
          'kubevirt.io/migrationJobUID': migration,
        },
        annotations: {
          'ovn-handover.dev/ports': raw && typeof hint === 'string' ? hint : JSON.stringify(hint),
          'kubevirt.io/migration-target-ready-timestamp': '2026-01-01T00:00:00Z',
        },
        ownerReferences: Array.from({ length: owners }, (_, index) => ({
          apiVersion: 'kubevirt.io/v1',
          kind,
          name: vm.name,
          uid: index === 0 ? vm.uid : 'another',
          controller: true,
        })),
      },
      spec: { nodeName: node },
      status: { phase: 'Running' },
    }));
}

function* places(value: unknown): Generator<readonly [Json, string]> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    yield [value as Json, key];
    yield* places(inner);
  }
}

function spoil([data, number, value]: [Json, number, unknown]): Json {
  const all = [...places(data)];
  const [holder, key] = all[number % all.length]!;
  holder[key] = value;
  return data;
}

function rename([data, number, name]: [Json, number, string]): Json {
  const NAMES = ['name', 'namespace', 'vmiName', 'uid', 'kind', 'apiVersion', 'kubevirt.io/migrationJobUID'];
  const named = [...places(data)].filter(([, key]) => NAMES.includes(key));
  const [holder, key] = named[number % named.length]!;
  holder[key] = name;
  return data;
}

function elsewhere([data, name]: [Json, string]): Json {
  const { metadata, spec } = data as { metadata: Json; spec?: Json };
  metadata.namespace = name;
  if (spec && 'vmiName' in spec) spec.vmiName = name;
  return data;
}

/** As text, because in a literal it would be the prototype. */
function pollute(data: Json): unknown {
  const wrap = JSON.parse('{"__proto__":{"kind":"Pod"},"constructor":{"prototype":{"x":1}},"toString":1}');
  const copy = structuredClone(data);
  for (const [key, value] of Object.entries(wrap)) Object.defineProperty(copy, key, { value, enumerable: true });
  return copy;
}

const ATTRIBUTES = (type: string) =>
  `"specversion":"1.0","id":"1","source":"https://10.0.0.1:443","type":${JSON.stringify(type)}`;

function post(kind: string, headers: Readonly<Record<string, string>>, body: string | Uint8Array): HostileRequest {
  return { kind, method: 'POST', path: '/', headers, body };
}

function structured(kind: string, body: string): HostileRequest {
  return post(kind, { 'content-type': 'application/cloudevents+json' }, body);
}

const brokenHeaders: fc.Arbitrary<Record<string, string>> = fc.oneof(
  fc.constantFrom('ce-id', 'ce-source', 'ce-type', 'ce-specversion', 'content-type').map((left) => {
    const { [left]: _, ...rest } = HEADERS as Record<string, string>;
    return rest;
  }),
  fc
    .record({
      name: fc.constantFrom(
        'ce-id',
        'ce-source',
        'ce-type',
        'ce-specversion',
        'ce-time',
        'ce-subject',
        'content-type',
        'ce-X',
        'ce-data',
      ),
      value: fc.oneof(
        fc.constantFrom(
          '',
          '0.3',
          '9',
          '%',
          '%00',
          '1.0, 1.0',
          'x'.repeat(4000),
          'yesterday',
          'application/json; charset=ebcdic',
        ),
        fc.constantFrom(
          'text/plain',
          'application/cloudevents-batch+json',
          'multipart/form-data',
          'image/png',
          'application/xml',
        ),
        fc.string({ unit: 'grapheme-ascii', maxLength: 60 }),
      ),
    })
    .map(({ name, value }) => ({ ...HEADERS, [name]: value.trim() })),
);

const brokenBody: fc.Arbitrary<HostileRequest> = fc.oneof(
  fc
    .constantFrom(
      '',
      '{',
      '[]',
      '"x"',
      'null',
      '7',
      '{}',
      `${'['.repeat(5000)}${']'.repeat(5000)}`,
      '{"a":1}{"b":2}',
      '\ufeff{}',
      'NaN',
    )
    .chain((body) =>
      fc.constantFrom(
        post('a broken body', HEADERS, body),
        structured('a broken body', body),
        structured('a broken body', `{${ATTRIBUTES('dev.knative.apiserver.resource.add')},"data":${body}}`),
        structured(
          'a broken body',
          `{${ATTRIBUTES('dev.knative.apiserver.resource.add')},"data_base64":${JSON.stringify(body)}}`,
        ),
        post('a batch', { 'content-type': 'application/cloudevents-batch+json' }, `[${body}]`),
        post('no event', { 'content-type': 'application/json' }, body),
        post('no event', { 'content-type': 'text/plain' }, body),
      ),
    ),
  fc.uint8Array({ minLength: 1, maxLength: 200 }).map((body) => post('bytes', HEADERS, body)),
  fc
    .uint8Array({ minLength: 1, maxLength: 200 })
    .map((body) => post('bytes', { 'content-type': 'application/cloudevents+json' }, body)),
);

function foreign(data: Json, other: string): HostileRequest {
  const TYPES: Json = {
    ping: 'dev.knative.sources.ping',
    ref: 'dev.knative.apiserver.ref.update',
    order: 'com.example.order',
  };
  return post(
    `an event of another source: ${other}`,
    { ...HEADERS, 'ce-type': String(TYPES[other]) },
    JSON.stringify(data),
  );
}

const otherMethod: fc.Arbitrary<HostileRequest> = fc
  .record({
    method: fc.constantFrom('GET', 'PUT', 'DELETE', 'PATCH', 'POST'),
    path: fc.constantFrom(
      ...[
        '/?cloudevent=1&log=x&body=y',
        '/?__proto__=1&constructor=2',
        '/?cloudevent[type]=x',
        '/x',
        '/%2e%2e/%2e%2e/etc/passwd',
      ],
      ...['/health/../', '/%', '/?%', `/${'x'.repeat(500)}`, '/index.mjs'],
    ),
  })
  .map(({ method, path }) => {
    const body = method === 'GET' ? '' : '{}';
    return {
      kind: 'another method or path',
      method,
      path,
      headers: body === '' ? {} : { 'content-type': 'application/json' },
      body,
    };
  });

/** Bodies of one MiB, which is as much as is taken, and one beyond it. */
function huge(data: Json, what: string): HostileRequest {
  const MIB = 1024 * 1024;
  const copy = structuredClone(data) as { metadata: Json };
  const room = MIB - 20_000;
  if (what === 'a label') copy.metadata.labels = { x: 'x'.repeat(room) };
  if (what === 'owners')
    copy.metadata.ownerReferences = Array.from(
      { length: 7000 },
      () => (data.metadata as Json).ownerReferences ?? { a: 1 },
    );
  if (what === 'a hint')
    copy.metadata.annotations = {
      'ovn-handover.dev/ports': JSON.stringify({ ports: Array(20_000).fill('x'), bindings: [] }),
    };
  let body = JSON.stringify(copy);
  if (what === 'blanks') body = body.padEnd(MIB, ' ');
  if (what === 'beyond') body = body.padEnd(MIB + 1, ' ');
  return post(`1 MiB: ${what}`, HEADERS, body.slice(0, MIB + 1));
}
