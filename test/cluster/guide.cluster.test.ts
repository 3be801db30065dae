/** Each kubectl command of the guide, as its reader types it, on a real API server. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { binary } from '../../lab/cluster/binaries.ts';
import { shellBlocks } from '../docs/support/guide.ts';
import { ApiServer } from './support/api-server.ts';

jest.setTimeout(300_000);

/** Of other programs, which have tests of their own or are not here. */
const OTHERS = ['virtctl', 'npx', 'npm', 'git', 'ovn-nbctl', 'ln'].map((name) => `${name}() { :; }`).join('\n');
const blocks = shellBlocks().filter((block) => block.includes('kubectl ') && !block.includes('kubectl-ovn'));

let api: ApiServer;
let folder: string;

beforeAll(async () => {
  api = await ApiServer.start();
  folder = await mkdtemp(join(tmpdir(), 'handover-guide-'));
  for (const name of ['client-cert', 'client-key', 'ca']) await writeFile(join(folder, `${name}.pem`), name);
  await writeFile(join(folder, 'there.yaml'), JSON.stringify({ apiVersion: 'v1', kind: 'List', items: there() }));
  await api.kubectl('apply', '-f', join(folder, 'there.yaml'));
});
afterAll(async () => {
  await api?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** What a cluster has of KubeVirt, Kube-OVN and Knative that the guide changes. */
function there(): object[] {
  const deployment = (namespace: string, name: string) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name, image: 'none', args: ['--x'] }] } },
    },
  });
  const hpa = (namespace: string, name: string) => ({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name, namespace },
    spec: { minReplicas: 1, maxReplicas: 5, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name } },
  });
  const namespaces = ['knative-serving', 'knative-eventing', 'prod'].map((name) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name },
  }));
  const kubevirt = (kind: string, spec: object) => ({
    apiVersion: 'kubevirt.io/v1',
    kind,
    metadata: { name: 'web-01', namespace: 'default' },
    spec,
  });
  return [
    ...namespaces,
    deployment('kube-system', 'kube-ovn-controller'),
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'kube-ovn-tls', namespace: 'kube-system' },
      stringData: { cert: 'c' },
    },
    ...['activator', 'autoscaler', 'controller'].map((name) => deployment('knative-serving', name)),
    ...['imc-dispatcher', 'imc-controller', 'mt-broker-controller', 'eventing-controller'].map((name) =>
      deployment('knative-eventing', name),
    ),
    hpa('knative-serving', 'activator'),
    ...['broker-ingress-hpa', 'broker-filter-hpa'].map((name) => hpa('knative-eventing', name)),
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'config-network', namespace: 'knative-serving' } },
    kubevirt('VirtualMachine', {
      runStrategy: 'Always',
      template: { metadata: {}, spec: { domain: { devices: {} } } },
    }),
    kubevirt('VirtualMachineInstance', { domain: { devices: {} } }),
  ];
}

/** What stands in the way of a block, or is missing for it, because its reader does one thing or the other. */
async function prepare(block: string): Promise<void> {
  if (block.includes('create secret')) await api.kubectl('-n', 'ovn-handover', 'delete', 'secret', 'ovn-client-tls');
  if (block.includes('eventtransform')) await api.kubectl('apply', '-f', 'eventing/components/kafka/key-by-vm.yaml');
}

test.each(blocks.map((block) => [block.trim().split('\n')[0]!, block]))('%s', async (_first, block) => {
  await prepare(block);
  const env = { ...process.env, KUBECONFIG: api.kubeconfig, PATH: `${dirname(binary('kubectl'))}:${process.env.PATH}` };
  const ran = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', `${OTHERS}\n${block}`], {
    cwd: folder,
    env,
  });
  expect(ran.stderr).not.toMatch(/error/i);
});
