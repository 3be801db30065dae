import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { DUAL_GATE, PORT_GATE } from '../../handover/decision/kubevirt.ts';
import { Cluster } from '../../testkit/cluster.ts';
import { type Answer, build, FunctionProcess, HEADERS } from '../../testkit/function-process.ts';
import type { Migration } from '../../testkit/kubevirt-vm.ts';
import { object, pod } from '../../testkit/moments.ts';
import { addChassis, addPort, addPortBinding, mapOf, OvnDatabase } from '../../testkit/ovn.ts';

const validate = new Ajv().compile(
  JSON.parse(readFileSync(new URL('../../schemas/port-changed.schema.json', import.meta.url), 'utf8')),
);
const PORT = 'web-01.prod';
const directory = mkdtempSync(join(tmpdir(), 'handover-functions-'));

let nb: OvnDatabase;
let sb: OvnDatabase;
let cluster: Cluster;
let settings: Record<string, string>;
let binding: string;
let reusePort: FunctionProcess;
let enableDual: FunctionProcess;
let disableDual: FunctionProcess;
let uuid: string;

beforeAll(async () => {
  build();
  [nb, sb, cluster] = await Promise.all([OvnDatabase.start('nb'), OvnDatabase.start('sb'), Cluster.start()]);
  addChassis(sb, 'chassis-a', 'worker-a', '10.0.0.1');
  addChassis(sb, 'chassis-b', 'worker-b', '10.0.0.2');
  binding = addPortBinding(sb, PORT, 1);
  uuid = addPort(nb, PORT);
  await cluster.createVm();
  const kubeconfig = join(directory, 'kubeconfig');
  writeFileSync(kubeconfig, cluster.kubeconfig);
  settings = { OVN_NB_REMOTE: nb.remote, OVN_SB_REMOTE: sb.remote, KUBECONFIG: kubeconfig };
  [reusePort, enableDual, disableDual] = await Promise.all([
    FunctionProcess.start({ ...settings, FUNC_STEP: 'reuse-port' }),
    FunctionProcess.start({ ...settings, FUNC_STEP: 'enable-dual-chassis' }),
    FunctionProcess.start({ ...settings, FUNC_STEP: 'disable-dual-chassis' }),
  ]);
}, 60_000);
afterAll(async () => {
  const parts = [reusePort, enableDual, disableDual, nb, sb, cluster];
  await Promise.all(parts.map((part) => part?.[Symbol.asyncDispose]()));
  rmSync(directory, { recursive: true });
});

const requested = () => mapOf(nb, PORT, 'options')['requested-chassis'];
const inAll = (data: unknown) => Promise.all([reusePort, enableDual, disableDual].map((each) => each.send(data)));

/** Nothing was done: no body, for anything else the broker would take for a failure. */
function expectNothing(answer: Answer): void {
  expect({ status: answer.status, body: answer.body }).toEqual({ status: 204, body: '' });
}

/** A change was made: the answer is a CloudEvent in binary mode that holds to its schema. */
function expectApplied(answer: Answer, kind: string, step: string): Record<string, unknown> {
  expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 200 });
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'content-type': expect.stringMatching(/^application\/json/),
    'ce-specversion': '1.0',
    'ce-id': expect.stringMatching(/.+/),
    'ce-type': `dev.ovn-handover.port.${kind}`,
    'ce-source': `/ovn-handover/${step}`,
    'ce-subject': '/apis/kubevirt.io/v1/namespaces/prod/virtualmachineinstances/web-01',
  });
  const data = JSON.parse(answer.body);
  expect(validate(data) ? [] : validate.errors).toEqual([]);
  return data;
}

describe('a migration, as the functions answer it', () => {
  let migration: Migration;

  test('an idle VM is nothing to do for any of them', async () => {
    const before = nb.dump();
    for (const answer of await inAll(pod('source-running'))) expectNothing(answer);
    expect(nb.dump()).toBe(before);
  });

  test('reuse-port pins the port to the source as soon as there is a VMIM', async () => {
    migration = await cluster.migrate('move');
    for (const other of [enableDual, disableDual]) expectNothing(await other.send(migration.vmim));
    const data = expectApplied(await reusePort.send(migration.vmim), 'reused', 'reuse-port');
    expect(data).toMatchObject({
      migration: migration.vmim.metadata.uid,
      ports: [{ name: PORT, uuid, rule: '3d', binding: 'pinned', requestedChassis: 'chassis-a' }],
    });
    expect(requested()).toBe('chassis-a');
    expect(nb.log()).toContain(`ovn-handover reuse-port: VMI prod/web-01 ${cluster.vmi.metadata.uid}, VMIM move`);
  });

  test('and gives the target pod identity and hint, and takes off its own gate and no other', async () => {
    await migration.createTarget([PORT_GATE, DUAL_GATE, 'example.com/quota']);
    const target = await cluster.pod(migration.target);
    const data = expectApplied(await reusePort.send(target), 'reused', 'reuse-port');
    expect(data).toMatchObject({ ungatedPods: [migration.target], ports: [] });

    const { metadata, spec } = await cluster.pod(migration.target);
    expect(spec?.schedulingGates).toEqual([{ name: DUAL_GATE }, { name: 'example.com/quota' }]);
    expect(metadata?.annotations).toMatchObject({
      'ovn.kubernetes.io/ip_address': '192.168.50.10',
      'ovn-handover.dev/ports': JSON.stringify({ ports: [uuid], bindings: [binding] }),
    });
  });

  test('the same event again, and those of other pods, are nothing to do', async () => {
    const before = nb.dump();
    expectNothing(await reusePort.send(await cluster.pod(migration.target)));
    expectNothing(await reusePort.send(migration.vmim));
    expectNothing(await reusePort.send(object('pod-hotplug-attachment-EXCLUDE')));
    expect(nb.dump()).toBe(before);
  });

  test('enable-dual-chassis takes off the other gate, and stays with the target for a while', async () => {
    const sent = Date.now();
    const answer = await enableDual.send(await cluster.pod(migration.target));
    expect(expectApplied(answer, 'dual', 'enable-dual-chassis')).toMatchObject({
      ungatedPods: [migration.target],
      ports: [],
    });
    expect(Date.now() - sent).toBeGreaterThan(4_900);
    expect((await cluster.pod(migration.target)).spec?.schedulingGates).toEqual([{ name: 'example.com/quota' }]);
    expect(requested()).toBe('chassis-a');
  }, 20_000);

  test('enable-dual-chassis waits while OVN still remembers an earlier activation', async () => {
    const { namespace } = { namespace: 'prod' };
    await cluster.core.patchNamespacedPod({
      name: migration.target,
      namespace,
      body: [{ op: 'remove', path: '/spec/schedulingGates' }],
    });
    await migration.schedule('worker-b');
    sb.ctl('set', 'Port_Binding', binding, 'options:additional-chassis-activated=chassis-b');
    const answer = await enableDual.send(await cluster.pod(migration.target));
    expect(answer).toMatchObject({ status: 503, body: expect.stringContaining('chassis-b') });
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(requested()).toBe('chassis-a');
    sb.ctl('remove', 'Port_Binding', binding, 'options', 'additional-chassis-activated');
  });

  test('and while the target has no chassis', async () => {
    sb.ctl('set', 'Chassis', 'chassis-b', 'hostname=not-yet');
    const answer = await enableDual.send(await cluster.pod(migration.target));
    sb.ctl('set', 'Chassis', 'chassis-b', 'hostname=worker-b');
    expect(answer).toMatchObject({ status: 503, body: expect.stringContaining('worker-b') });
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(requested()).toBe('chassis-a');
  });

  test('then binds both, the target closed; ten deliveries at once change it once', async () => {
    const target = await cluster.pod(migration.target);
    const answers = await Promise.all(Array.from({ length: 10 }, () => enableDual.send(target)));
    const applied = answers.filter(({ status }) => status === 200);
    expect(applied).toHaveLength(1);
    expectApplied(applied[0]!, 'dual', 'enable-dual-chassis');
    for (const answer of answers.filter((each) => each !== applied[0])) expectNothing(answer);
    expect(mapOf(nb, PORT, 'options')).toMatchObject({
      'requested-chassis': 'chassis-a,chassis-b',
      'activation-strategy': 'rarp',
      'handover-binding': 'dual',
    });
  });

  test('disable-dual-chassis does nothing until the guest has switched, then pins to the target', async () => {
    await migration.handOff();
    expectNothing(await disableDual.send(migration.vmim));
    await migration.switch();
    const data = expectApplied(await disableDual.send(migration.vmim), 'pinned', 'disable-dual-chassis');
    expect(data).toMatchObject({ ports: [{ rule: '3a', requestedChassis: 'chassis-b' }] });
    const options = mapOf(nb, PORT, 'options');
    expect(options).toMatchObject({ 'requested-chassis': 'chassis-b', 'handover-binding': 'pinned' });
    expect(options).not.toHaveProperty('activation-strategy');
  });

  test('a late event does not re-arm a migration that is over (kube-ovn #5955)', async () => {
    await migration.succeed('worker-b');
    const before = mapOf(nb, PORT, 'options');
    expectNothing(await enableDual.send(await cluster.pod(migration.target)));
    expectNothing(await enableDual.send(migration.vmim));
    expectNothing(await reusePort.send(migration.vmim));
    expectNothing(await disableDual.send(migration.vmim));
    expect(mapOf(nb, PORT, 'options')).toEqual(before);
  });

  test('nothing of ours is left on the port once the pod that the guest has left is gone', async () => {
    await cluster.deletePod('virt-launcher-web-01-source');
    const data = expectApplied(await disableDual.send(migration.vmim), 'released', 'disable-dual-chassis');
    expect(data).toMatchObject({ ports: [{ rule: '2b', binding: 'unbound' }] });
    expect(mapOf(nb, PORT, 'options')).toEqual({});
  });

  test('the VMI tells the story', async () => {
    const events = await cluster.events();
    expect(events.map(({ type, reason, by }) => `${type} ${reason} ${by}`).sort()).toEqual([
      'Normal PortDual enable-dual-chassis',
      'Normal PortPinned disable-dual-chassis',
      'Normal PortPinned reuse-port',
      'Normal PortReleased disable-dual-chassis',
      'Warning ChassisUnknown enable-dual-chassis',
    ]);
    for (const { reason, message } of events) {
      const words = { ChassisUnknown: 'worker-b', PortReleased: 'rule 2b' };
      expect(message).toContain(words[reason as keyof typeof words] ?? 'migration move');
    }
  });
});

describe('an event that is none', () => {
  const good = object('vmim-01-pending');
  const vmim = (change: Parameters<typeof object>[1]) => JSON.stringify(object('vmim-01-pending', change));
  const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
  const without = (name: string) => {
    const { [name]: _left, ...rest } = HEADERS as Record<string, string>;
    return rest;
  };

  /** What a body or its headers can be wrong in; each is delivered many times, with other names. */
  const hostile: [string, string, Record<string, string>][] = [
    ['no body', '', HEADERS],
    ['no JSON', '{"kind":', HEADERS],
    ['a list', '[]', HEADERS],
    ['a text', '"x"', HEADERS],
    ['null', 'null', HEADERS],
    ['a deep nest', deep, HEADERS],
    ['prototype keys', '{"__proto__":{"kind":"Pod"},"constructor":{"prototype":{"x":1}}}', HEADERS],
    ['no metadata', '{"apiVersion":"v1","kind":"Pod"}', HEADERS],
    ['plain text', 'hello', { 'content-type': 'text/plain' }],
    ['a form', 'kind=Pod&metadata=x', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['JSON that is no CloudEvent', JSON.stringify(good), { 'content-type': 'application/json' }],
    ['no id', JSON.stringify(good), without('ce-id')],
    ['no source', JSON.stringify(good), without('ce-source')],
    ['no type', JSON.stringify(good), without('ce-type')],
    ['a foreign type', JSON.stringify(good), { ...HEADERS, 'ce-type': 'com.example.order' }],
    ['Reference mode', JSON.stringify(good), { ...HEADERS, 'ce-type': 'dev.knative.apiserver.ref.add' }],
    ['a broken structured event', '{"specversion":"1.0"', { 'content-type': 'application/cloudevents+json' }],
    ['an empty structured event', '{}', { 'content-type': 'application/cloudevents+json' }],
    ...['../x', 'a/b', 'A', '', 'x\n', '-', 'a'.repeat(300), '$&', '%2e%2e', '*'].flatMap(
      (name): [string, string, Record<string, string>][] => [
        [`VMI ${JSON.stringify(name).slice(0, 20)}`, vmim({ spec: { vmiName: name } }), HEADERS],
        [`namespace ${JSON.stringify(name).slice(0, 20)}`, vmim({ metadata: { namespace: name } }), HEADERS],
      ],
    ),
  ];

  test(`is rejected in one line, at once and among others, and OVN does not change: ${hostile.length} kinds, in each function`, async () => {
    const before = [nb.dump(), sb.dump()];
    const functions = [reusePort, enableDual, disableDual];
    const answers = await Promise.all(
      hostile.flatMap(([kind, body, headers]) =>
        functions.map(async (each) => ({ kind, ...(await each.post(body, headers)) })),
      ),
    );
    expect(answers.length).toBeGreaterThanOrEqual(100);
    const wrong = answers.filter(({ status, body }) => ![400, 422].includes(status) || !/^[^\n]+$/.test(body));
    expect(wrong.map(({ kind, status, body }) => ({ kind, status, body }))).toEqual([]);
    expect([nb.dump(), sb.dump()]).toEqual(before);
    for (const each of functions) expectNothing(await each.send(good));
  }, 20_000);

  test('is answered with what is wrong and where', async () => {
    const answer = await reusePort.send(object('vmim-01-pending', { spec: { vmiName: '../x' } }));
    expect(answer).toMatchObject({ status: 422, body: expect.stringContaining('/data/spec/vmiName') });
  });
});

test('an event of 1.2 MiB is taken: a VMI may be as large as etcd lets it, and is sent whole', async () => {
  const large = object('vmi-01-idle', {
    spec: { volumes: [{ cloudInitNoCloud: { userData: 'x'.repeat(1_200_000) } }] },
  });
  for (const answer of await inAll(large)) expectNothing(answer);
});

describe('when a neighbour is away', () => {
  test('OVN northbound or the API: 503 and when to come again, then it works again', async () => {
    const back = await cluster.migrate('back');
    const before = nb.dump();
    await nb.kill();
    const answers = await inAll(back.vmim);
    await nb.start();
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 503, body: expect.stringMatching(/^OVN northbound: [^\n]+$/) });
      expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    }
    expect(nb.dump()).toBe(before);
    expectApplied(await reusePort.send(back.vmim), 'reused', 'reuse-port');

    const lost = join(directory, 'lost');
    writeFileSync(lost, cluster.kubeconfig.replace(/(https:\/\/127\.0\.0\.1):\d+/, '$1:9'));
    const blind = await FunctionProcess.start({ ...settings, KUBECONFIG: lost, FUNC_STEP: 'enable-dual-chassis' });
    try {
      const answer = await blind.send(back.vmim);
      expect(answer).toMatchObject({ status: 503, body: expect.stringMatching(/^Kubernetes API: [^\n]+$/) });
      expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    } finally {
      await blind[Symbol.asyncDispose]();
    }
  }, 40_000);
});

describe('a bad setting ends the process with status 1 and one line that names it', () => {
  test.each([
    ['FUNC_STEP', { FUNC_STEP: 'migrate' }],
    ['OVN_NB_REMOTE', { OVN_NB_REMOTE: '' }],
    ['OVN_NB_REMOTE', { OVN_NB_REMOTE: 'tcp:127.0.0.1:99999' }],
    ['OVN_PROFILE', { OVN_PROFILE: 'openstack' }],
    ['KUBECONFIG', { KUBECONFIG: '/nowhere/kubeconfig' }],
    ['KUBECONFIG', { KUBECONFIG: '/dev/null' }],
  ])(
    '%s: %j',
    async (name, bad) => {
      const { status, stderr } = await FunctionProcess.end({ ...settings, FUNC_STEP: 'reuse-port', ...bad });
      expect(stderr).toMatch(new RegExp(`^[^\\n]*${name}[^\\n]*\\n$`));
      expect(status).toBe(1);
    },
    30_000,
  );
});
