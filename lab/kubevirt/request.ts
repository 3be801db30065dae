import { ApiException } from '@kubernetes/client-node';
import type { KubernetesObject } from './objects.ts';

export function nameOf({ metadata: { name, namespace } }: KubernetesObject): { name: string; namespace: string } {
  return { name, namespace };
}

export function isStatus(error: unknown, code: number): boolean {
  return error instanceof ApiException && error.code === code;
}

/**
 * What a request answers, or `undefined` if its object is gone.
 *
 * @param alsoGone a status that says the same of this request: 409 for a deletion that names a uid.
 */
export async function unlessGone<T>(request: Promise<T>, alsoGone = 404): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (isStatus(error, 404) || isStatus(error, alsoGone)) return undefined;
    throw error;
  }
}
