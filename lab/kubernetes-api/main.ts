import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { startKubernetesApi } from './server.ts';

interface Flags {
  port: number;
  kubeconfig: string;
  admission: string[];
  kubevirtWebhook?: boolean;
  log?: string;
}

const { port, kubeconfig, ...rest } = new Command('kubernetes-api')
  .description('Stand-in for the Kubernetes API server: pods, nodes, events, VMs, VMIs and VMIMs over HTTP.')
  .option('--port <number>', 'port on 127.0.0.1; 0 takes a free one', Number, 0)
  .requiredOption('--kubeconfig <file>', 'where to write the kubeconfig for clients')
  .option(
    '--admission <file>',
    'YAML with MutatingAdmissionPolicies and their bindings; may be repeated',
    (file: string, files: string[]) => [...files, file],
    [],
  )
  .option('--kubevirt-webhook', "look at VMIMs as KubeVirt's webhook does: one of a VMI at a time")
  .option('--log <file>', 'append one line of JSON per request')
  .parse()
  .opts<Flags>();

try {
  const api = await startKubernetesApi({ port, ...rest });
  await writeFile(kubeconfig, api.kubeconfig, { mode: 0o600 });
  console.log(`kubernetes-api ready at ${api.url}`);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void api.close());
} catch (error) {
  console.error(`kubernetes-api: ${(error as Error).message}`);
  process.exit(1);
}
