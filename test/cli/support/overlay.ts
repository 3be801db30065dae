import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KubernetesObject } from '@kubernetes/client-node';
import { readYaml } from '../../../lab/knative/manifests.ts';

const EVENTING = fileURLToPath(new URL('../../../eventing', import.meta.url));

export const OVERLAYS = ['kube-ovn', 'kube-ovn-kafka', 'kube-ovn-without-tls', 'generic-ovn', 'generic-ovn-kafka'];

interface Kustomization {
  readonly resources?: readonly string[];
  readonly components?: readonly string[];
}

/** Which objects a folder of `eventing/` brings, such as `overlays/kube-ovn`. Its patches are left out: they bring none. */
export async function objectsIn(folder: string): Promise<KubernetesObject[]> {
  return await read(resolve(EVENTING, folder));
}

async function read(folder: string): Promise<KubernetesObject[]> {
  const file = join(folder, 'kustomization.yaml');
  const [{ resources = [], components = [] }] = (await readYaml(file)) as [Kustomization];
  const found = await Promise.all(
    [...resources, ...components].map((name) => {
      const path = join(dirname(file), name);
      return name.endsWith('.yaml') ? readYaml(path) : read(path);
    }),
  );
  return found.flat() as KubernetesObject[];
}
