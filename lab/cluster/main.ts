import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { type RunningCluster, startCluster } from './cluster.ts';
import { installEventing } from './eventing.ts';

interface Flags {
  readonly kubeconfig: string;
  readonly log: string;
  readonly serviceAccounts: string;
  readonly gate: boolean;
}

const flags = new Command('cluster')
  .description('A real Kubernetes API: etcd and kube-apiserver, with what eventing/ brings.')
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
  await installEventing(flags);
  console.log(`kube-apiserver ready at ${cluster.url}`);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void cluster?.stop());
} catch (error) {
  console.error(`cluster: ${(error as Error).message}`);
  await cluster?.stop();
  process.exit(1);
}
