// A process in the network of the API server: creates the object of each line of JSON that it reads, and answers with a line of
// when it asked. Argument: a kubeconfig.
import { createInterface } from 'node:readline';
import { KubeConfig, KubernetesObjectApi } from '@kubernetes/client-node';

const config = new KubeConfig();
config.loadFromFile(process.argv[2]!);
const api = KubernetesObjectApi.makeApiClient(config);
// What the client asks of the API server before its first object would count with that.
await api.list('kubevirt.io/v1', 'VirtualMachineInstanceMigration', 'default');
await api.list('v1', 'ConfigMap', 'default');
console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const askedAt = Date.now();
  const { metadata } = await api.create(JSON.parse(line));
  console.log(JSON.stringify({ askedAt, answeredAt: Date.now(), name: metadata?.name, uid: metadata?.uid }));
}
