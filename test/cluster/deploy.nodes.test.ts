/** `npm run deploy` on a real cluster: where the functions had been deleted, and as an upgrade while VMs migrate. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { binary } from '../../lab/cluster/binaries.ts';
import { eventually } from '../../lab/cluster/eventually.ts';
import { deployment } from '../../lab/cluster/knative/functions.ts';
import { deploy, notReady, overlayWith, PROJECT, runInFabric, STEPS, templateOf } from './support/deploying.ts';
import { kubectlOfFunctions, useCluster } from './support/nodes.ts';
import { WatchedMigration } from './support/watched-migration.ts';

jest.setTimeout(600_000);

const used = useCluster({ vms: 3 });
const kubectl = (...args: readonly string[]) => kubectlOfFunctions(used, ...args);
let image: string;

beforeAll(async () => {
  ({ image } = await deployment(used.cluster));
});

describe('npm run deploy', () => {
  test('says what is missing before it deploys a function: a tool, the cluster, the overlay', async () => {
    const missing = async (args: readonly string[], env?: NodeJS.ProcessEnv) => {
      const { status, said } = await deploy(used, args, env);
      expect(status).toBe(1);
      return said;
    };
    expect(await missing([], { PATH: '/nowhere' })).toMatch(/^deploy: kubectl is not on the PATH: install .*\n$/);
    expect(await missing([], { KUBECONFIG: '/nowhere' })).toMatch(/^deploy: the cluster .* is not reached: .*\n$/);
    expect(await missing(['--overlay', 'ovn-kube'])).toMatch(/^deploy: --overlay ovn-kube is neither .*\n$/);
  });

  test('rejects a digest that is none, and a context that the kubeconfig does not have', async () => {
    const bad = await deploy(used, ['--image', 'registry.example.com/x@sha256:abc']);
    expect(bad).toMatchObject({
      status: 1,
      said: expect.stringMatching(/^deploy: --image \S+ is no REPOSITORY@sha256/),
    });
    const elsewhere = await deploy(used, ['--context', 'elsewhere']);
    expect(elsewhere).toMatchObject({ status: 1, said: expect.stringContaining('no context elsewhere') });
  });

  test('shows by --dry-run where it goes, what is wrong and what would come, and changes nothing', async () => {
    const versions = () =>
      kubectl('get', 'configmap,ksvc,triggers,brokers', '-o', 'jsonpath={.items[*].metadata.generation}');
    const before = await versions();
    const { status, said } = await deploy(used, ['--dry-run']);
    expect({ status, said }).toMatchObject({
      status: 0,
      said: expect.stringContaining('nothing was built, pushed or applied'),
    });
    expect(said).toMatch(/^deploy: context \S+, https:/m);
    expect(said).toContain('every node has exactly one chassis');
    expect(await versions()).toBe(before);
  });

  test('ends before it builds or applies anything where a check is red, and says how to mend it', async () => {
    const overlay = await overlayWith(used, { OVN_NB_REMOTE: 'tcp:127.0.0.1:1' });
    const { status, said } = await deploy(used, ['--overlay', overlay]);
    expect({ status, said }).toMatchObject({ status: 1, said: expect.stringContaining('[ovn-unreachable]') });
    expect(said).toContain('deploy: nothing was built or applied: mend ovn-unreachable');
    expect(said).not.toContain('deploy: kubectl apply');
  });

  test('makes all Ready, also Triggers whose functions had been deleted, and leaves the work tree as it was', async () => {
    await kubectl('delete', 'ksvc', '--all');
    await eventually('a Trigger misses its function', 30_000, async () => {
      const missing = await notReady(used);
      return missing.some((name) => name.startsWith('Trigger/')) || `not Ready: ${missing}`;
    });
    const before = await runInFabric(used, 'git', ['status', '--porcelain']);
    expect(await deploy(used)).toMatchObject({ status: 0, said: expect.stringContaining('deploy: done') });
    expect(await runInFabric(used, 'git', ['status', '--porcelain'])).toEqual(before);
    expect(await notReady(used)).toEqual([]);
    const services = await kubectl('get', 'ksvc', '-o', 'name');
    expect(services.split('\n')).toEqual(STEPS.map((step) => `service.serving.knative.dev/${step}`));
    await kubectl('get', 'mutatingadmissionpolicybinding', 'ovn-handover-scheduling-gate');
  });

  test.each(STEPS)(
    'makes of %s a private Service that scales to zero, with its own account, settings and certificates',
    async (step) => {
      const labels = await kubectl('get', 'ksvc', step, '-o', 'jsonpath={.metadata.labels}');
      expect(JSON.parse(labels)).toMatchObject({ 'networking.knative.dev/visibility': 'cluster-local' });
      const { metadata, spec } = await templateOf(used, step);
      expect(metadata.annotations).toMatchObject({
        'autoscaling.knative.dev/min-scale': '0',
        'autoscaling.knative.dev/max-scale': '3',
      });
      expect(spec).toMatchObject({
        serviceAccountName: step,
        volumes: [{ name: 'secret-ovn-client-tls', secret: { secretName: 'ovn-client-tls' } }],
      });
      const [container] = spec.containers;
      expect(container).toMatchObject({
        image,
        env: expect.arrayContaining([{ name: 'FUNC_STEP', value: step }]),
        envFrom: [{ configMapRef: { name: 'ovn-handover' } }],
        volumeMounts: [{ name: 'secret-ovn-client-tls', mountPath: '/etc/ovn-client-tls' }],
        readinessProbe: { httpGet: { path: '/health/readiness', port: 8080 } },
        livenessProbe: { httpGet: { path: '/health/liveness', port: 8080 } },
        securityContext: { runAsNonRoot: true, allowPrivilegeEscalation: false },
      });
    },
  );

  test.each(STEPS)('func describes %s as it is deployed', async (step) => {
    const own = join(used.folder, step);
    await promisify(execFile)('cp', ['-r', `functions/${step}`, own], { cwd: PROJECT });
    const { status, said } = await runInFabric(used, binary('func'), ['describe', '--path', own, '--output', 'json']);
    expect(status).toBe(0);
    expect(JSON.parse(said)).toMatchObject({ name: step, namespace: 'ovn-handover', image });
  });

  test('upgrades to another image while VMs migrate, one after the other, which all end right', async () => {
    const next = await deployment(used.cluster, 'next');
    expect(next.image).not.toBe(image);
    let isDone = false;
    const deploying = deploy(used, ['--image', next.image]).finally(() => {
      isDone = true;
    });
    let migrations = 0;
    do {
      await using migration = await WatchedMigration.start(used, used.vm((migrations++ % 3) + 1));
      const { phase, seen } = await migration.endsRight(180_000);
      expect({ phase, tcpBroken: seen.tcpBroken }).toEqual({ phase: 'Succeeded', tcpBroken: false });
    } while (!isDone);
    expect(await deploying).toMatchObject({ status: 0, said: expect.stringContaining('deploy: done') });
    expect(await notReady(used)).toEqual([]);
    expect((await templateOf(used, 'reuse-port')).spec.containers[0]).toMatchObject({ image: next.image });
  });
});
