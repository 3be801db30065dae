import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CoreV1Api, type KubeConfig } from '@kubernetes/client-node';
import { kubeconfigYaml } from '../kubernetes-api/kubeconfig.ts';

/** Longer than any run of the lab. */
const TOKEN_SECONDS = 24 * 3600;

/** Where the kubeconfig of a ServiceAccount is, in a folder that {@link writeServiceAccounts} filled. */
export function serviceAccountKubeconfig(folder: string, namespace: string, name: string): string {
  return join(folder, namespace, `${name}.kubeconfig`);
}

/** Writes a kubeconfig with a token of its own for each ServiceAccount of a namespace, as the kubelet asks for one. */
export async function writeServiceAccounts(config: KubeConfig, namespace: string, folder: string): Promise<void> {
  const core = config.makeApiClient(CoreV1Api);
  const { server = '', caData = '' } = config.getCurrentCluster() ?? {};
  const authority = Buffer.from(caData, 'base64').toString();
  const { items } = await core.listNamespacedServiceAccount({ namespace });
  for (const name of items.flatMap(({ metadata }) => metadata?.name ?? [])) {
    const body = { spec: { audiences: [], expirationSeconds: TOKEN_SECONDS } };
    const { status } = await core.createNamespacedServiceAccountToken({ namespace, name, body });
    const file = serviceAccountKubeconfig(folder, namespace, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, kubeconfigYaml(server, authority, status?.token ?? ''), { mode: 0o600 });
  }
}
