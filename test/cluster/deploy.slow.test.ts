/** `npm run deploy` on clusters that lack something or have something else, and taking all of it out again. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { eventually } from '../../lab/cluster/eventually.ts';
import { deployment } from '../../lab/cluster/knative/functions.ts';
import { expectHandedOver, migrate } from './support/cli-migrations.ts';
import { deploy, inFrontOf, notReady, PROJECT, runInFabric, templateOf } from './support/deploying.ts';
import { kubectlOfFunctions, useCluster } from './support/nodes.ts';

jest.setTimeout(900_000);

const used = useCluster({ vms: 1 });
const kubectl = (...args: readonly string[]) => kubectlOfFunctions(used, ...args);
let image: string;
let overlay: string;

beforeAll(async () => {
  ({ image, overlay } = await deployment(used.cluster));
});

describe('npm run deploy', () => {
  test('brings all of it where nothing of it is, as the guide takes it out', async () => {
    const port = used.vm(1).interfaces[0].port;
    await used.kubectl('delete', '-k', join(PROJECT, 'eventing/components/scheduling-gate'));
    await eventually('the port is as it was before any migration', 240_000, async () => {
      const command = ['--columns=options', '--bare', 'find', 'Logical_Switch_Port', `name=${port}`];
      const { said } = await runInFabric(used, 'ovn-nbctl', [`--db=${used.cluster.testbed.northbound}`, ...command]);
      return said.trim() === '' || said;
    });
    await kubectl('delete', 'ksvc', '--all');
    // Longer than what is waited for a command: a namespace goes when all in it has gone.
    await used.kubectl('delete', '-k', overlay, '--wait=false');
    await eventually('the namespace is gone', 240_000, async () => {
      const left = await used.kubectl('get', 'namespace', 'ovn-handover', '--ignore-not-found', '-o', 'name');
      return left === '' || left;
    });
    expect(await used.kubectl('get', 'clusterroles,clusterrolebindings', '-o', 'name')).not.toContain('ovn-handover');

    expect(await deploy(used)).toMatchObject({ status: 0, said: expect.stringContaining('deploy: done') });
    expect(await notReady(used)).toEqual([]);
    expectHandedOver(await migrate());
  });

  test('makes room for a Broker of another class', async () => {
    await kubectl('delete', 'brokers', 'migrations');
    const broker = join(used.folder, 'broker.json');
    const annotations = { 'eventing.knative.dev/broker.class': 'Kafka' };
    const metadata = { name: 'migrations', namespace: 'ovn-handover', annotations };
    await writeFile(
      broker,
      JSON.stringify({ apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', metadata, spec: {} }),
    );
    await kubectl('create', '-f', broker);
    expect(await deploy(used)).toMatchObject({
      status: 0,
      said: expect.stringContaining('the Broker migrations changes from Kafka to MTChannelBasedBroker'),
    });
    expect(await notReady(used)).toEqual([]);
  });

  test("waits until Knative's webhooks check what is applied", async () => {
    const inEventing = (...args: readonly string[]) => used.kubectl('-n', 'knative-eventing', ...args);
    const webhook = (replicas: number) => inEventing('scale', 'deployment/eventing-webhook', `--replicas=${replicas}`);
    await webhook(0);
    try {
      await inEventing('delete', 'pod', '-l', 'app=eventing-webhook', '--grace-period=0', '--force');
      const rules = ['--type=json', '-p', '[{"op":"remove","path":"/webhooks/0/rules"}]'];
      await inEventing('patch', 'validatingwebhookconfiguration/validation.webhook.eventing.knative.dev', ...rules);
      await inEventing('patch', 'mutatingwebhookconfiguration/webhook.eventing.knative.dev', ...rules);
      const deploying = deploy(used);
      expect(await Promise.race([deploying, sleep(10_000, 'waits')])).toBe('waits');
      await webhook(1);
      expect(await deploying).toMatchObject({ status: 0, said: expect.stringContaining('deploy: done') });
    } finally {
      await webhook(1);
    }
  });

  test('warns of a mesh-compatibility-mode with which an event may wait for a pod that ends', async () => {
    const set = (mode: string) => {
      const patch = JSON.stringify({ data: { 'mesh-compatibility-mode': mode } });
      return used.kubectl('-n', 'knative-serving', 'patch', 'configmap/config-network', '--type=merge', '-p', patch);
    };
    const env = await inFrontOf(used, 'func', '[ "$1" = version ] && exec "$REAL" "$@"; exit 1');
    await set('auto');
    const warned = await deploy(used, [], env).finally(() => set('disabled'));
    expect(warned.said).toContain('mesh-compatibility-mode of Knative Serving is auto');
    expect((await deploy(used, [], env)).said).not.toContain('mesh-compatibility-mode of');
  });

  test('has an image made of the bundle and the Node.js that made its code cache, and deploys that', async () => {
    const context = join(used.folder, 'context');
    // No registry is here: this is what func leaves behind after a push.
    const env = await inFrontOf(
      used,
      'func',
      `[ "$1" = build ] || exec "$REAL" "$@"
      mkdir "$3/.func" && printf %s '${image}' >"$3/.func/built-image" && cp -r "$3" '${context}'`,
    );
    const { status, said } = await deploy(used, ['--image', 'registry.example.com/ovn-handover'], env);
    expect({ status, said }).toMatchObject({ status: 0 });
    expect(said).toMatch(/func build --path \S+ --image registry.example.com\/ovn-handover --push/);
    expect(said).toContain(`--image ${image} --build=false --push=false`);

    expect((await readdir(context)).sort()).toEqual(['.func', 'dist', 'func.yaml', 'package.json']);
    const { scripts, dependencies } = JSON.parse(await readFile(join(context, 'package.json'), 'utf8'));
    const project = JSON.parse(await readFile(join(PROJECT, 'package.json'), 'utf8'));
    expect(scripts).toEqual({ start: project.scripts.start });
    expect(dependencies).toEqual({ node: project.dependencies.node });
  });

  test('keeps running whom a target waits for where it is told to, and where the API server offers no gate', async () => {
    const noGate = await inFrontOf(
      used,
      'kubectl',
      `case "$*" in *--raw*admissionregistration.k8s.io/*) echo '{"resources":[]}' ;; *) exec "$REAL" "$@" ;; esac`,
    );
    const scale = async () =>
      (await templateOf(used, 'reuse-port')).metadata.annotations['autoscaling.knative.dev/min-scale'];
    expect(await deploy(used, [], noGate)).toMatchObject({
      status: 0,
      said: expect.stringContaining('so reuse-port and enable-dual-chassis are kept running'),
    });
    expect(await scale()).toBe('1');
    expect(await deploy(used)).toMatchObject({ status: 0 });
    expect(await scale()).toBe('0');
    expect(await deploy(used, ['--warm'])).toMatchObject({ status: 0 });
    expect(await scale()).toBe('1');
    expect(await deploy(used)).toMatchObject({ status: 0 });
  });
});
