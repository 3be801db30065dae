import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KubeConfig } from '@kubernetes/client-node';
import { Command } from 'commander';
import { type RunningCluster, startCluster } from './cluster.ts';
import { awaitGate } from './gate.ts';
import { kubectl } from './kubectl.ts';
import { writeServiceAccounts } from './service-accounts.ts';

interface Flags {
  readonly kubeconfig: string;
  readonly log: string;
  readonly serviceAccounts: string;
  readonly gate: boolean;
}

const EVENTING = fileURLToPath(new URL('../../eventing', import.meta.url));
const NAMESPACE = 'ovn-handover';

const flags = new Command('cluster')
  .description('A real Kubernetes API: etcd and kube-apiserver, with what eventing/base brings.')
  .requiredOption('--kubeconfig <file>', 'where to write the kubeconfig of an administrator; all else goes beside it')
  .requiredOption('--log <file>', 'audit log: one line of JSON per request of our own ServiceAccounts')
  .requiredOption('--service-accounts <folder>', 'where to write a kubeconfig for each of our own ServiceAccounts')
  .option('--gate', "also eventing's component scheduling-gate", false)
  .parse()
  .opts<Flags>();

let cluster: RunningCluster | undefined;
try {
  cluster = await startCluster({
    directory: join(dirname(flags.kubeconfig), 'cluster'),
    kubeconfig: flags.kubeconfig,
    audit: flags.log,
  });
  await install(cluster, flags);
  console.log(`kube-apiserver ready at ${cluster.url}`);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void cluster?.stop());
} catch (error) {
  console.error(`cluster: ${(error as Error).message}`);
  await cluster?.stop();
  process.exit(1);
}

async function install({ authority }: RunningCluster, options: Flags): Promise<void> {
  const { kubeconfig, gate, serviceAccounts } = options;
  const files = ['namespace.yaml', 'functions-rbac.yaml', 'pod-patch-policy.yaml', 'source-rbac.yaml'];
  await kubectl(kubeconfig, 'apply', ...files.flatMap((file) => ['-f', join(EVENTING, 'base', file)]));
  const config = new KubeConfig();
  config.loadFromString(await readFile(kubeconfig, 'utf8'));
  await writeServiceAccounts(config, authority, NAMESPACE, serviceAccounts);
  if (!gate) return;
  const offered = await kubectl(kubeconfig, 'api-resources', '--api-group=admissionregistration.k8s.io');
  const component = / \S+\/v1 +false +MutatingAdmissionPolicy$/m.test(offered)
    ? 'scheduling-gate'
    : 'scheduling-gate-v1beta1';
  await kubectl(kubeconfig, 'apply', '-k', join(EVENTING, 'components', component));
  await awaitGate(config);
}
