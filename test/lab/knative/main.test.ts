import { readFile, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CoreV1Api } from '@kubernetes/client-node';
import { type RunningStandIn, startCluster, startStandIn } from './support/stand-in.ts';
import { until } from './support/until.ts';

jest.setTimeout(60_000);

let cluster: Awaited<ReturnType<typeof startCluster>>;
let running: RunningStandIn | undefined;

beforeEach(async () => {
  cluster = await startCluster();
});
afterEach(async () => {
  await running?.stop();
  running = undefined;
  await cluster.stop();
});

describe('the command', () => {
  it('hears of the events of eventing/ without functions, and ends cleanly', async () => {
    const log = `${cluster.directory}/knative.jsonl`;
    running = await startStandIn('knative', ['--kubeconfig', cluster.kubeconfig, '--log', log, '--no-functions']);
    expect(running.line).toBe(
      'Ready: events of VirtualMachineInstanceMigration, VirtualMachineInstance, Pod, but no functions.',
    );
    await cluster.config.makeApiClient(CoreV1Api).createNamespacedPod({
      namespace: 'default',
      body: {
        metadata: { name: 'target', labels: { 'kubevirt.io': 'virt-launcher', 'kubevirt.io/migrationJobUID': 'u' } },
        spec: { containers: [{ name: 'compute', image: 'i' }] },
      },
    });
    let lines: string[] = [];
    const read = setInterval(async () => {
      lines = (await readFile(log, 'utf8')).trim().split('\n').filter(Boolean);
    }, 20);
    // Both sources watch target pods.
    await until('the events are in the log', () => lines.length > 1).finally(() => clearInterval(read));
    const event = {
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      kind: 'event',
      eventId: expect.any(String),
      type: 'dev.knative.apiserver.resource.add',
      subject: '/apis/v1/namespaces/default/pods/target',
    };
    expect(lines.map((line) => JSON.parse(line))).toEqual([event, event]);
    expect(await running.stop()).toBe(0);
    running = undefined;
  });

  it('does not serve what Knative would take and pass over: a typo ends it with a line', async () => {
    const folder = cluster.directory;
    await writeFile(`${folder}/kustomization.yaml`, 'resources: [broker.yaml]\n');
    const broker = 'apiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata: { name: b }\nspec: { delivry: {} }\n';
    await writeFile(`${folder}/broker.yaml`, broker);
    const args = ['--kubeconfig', cluster.kubeconfig, '--log', `${folder}/log`, '--eventing', folder];
    await expect(startStandIn('knative', args)).rejects.toThrow(
      'knative ended with code 1: Broker default/b /spec/delivry: is not known here, and Knative would pass over it. Did you mean delivery?\n',
    );
  });

  it('says in one line what it cannot serve, and ends with 1', async () => {
    const folder = cluster.directory;
    await writeFile(`${folder}/kustomization.yaml`, 'resources: [broker.yaml]\npatches: []\n');
    const args = ['--kubeconfig', cluster.kubeconfig, '--log', `${folder}/log`, '--eventing', folder];
    await expect(startStandIn('knative', args)).rejects.toThrow(
      `knative ended with code 1: ${folder}/kustomization.yaml: 'patches' is not known here; known are apiVersion, kind, resources, components\n`,
    );
  });
});
