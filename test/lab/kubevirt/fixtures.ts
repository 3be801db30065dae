import { readFileSync } from 'node:fs';
import type { KubernetesObject } from '../../../lab/kubevirt/objects.ts';

const folder = new URL('../../../testkit/fixtures/kubevirt/', import.meta.url);

/** An object of one VM, and of its migration from worker-a to worker-b, as KubeVirt has it at one moment. */
export function fixture<T extends KubernetesObject>(name: string): T {
  return JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'));
}
