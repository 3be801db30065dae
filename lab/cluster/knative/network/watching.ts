import {
  type Informer,
  type KubeConfig,
  type KubernetesListObject,
  type KubernetesObject,
  makeInformer,
  type ObjectCache,
} from '@kubernetes/client-node';

const RECONNECT_MS = 500;

export type Watching<T extends KubernetesObject> = Informer<T> & ObjectCache<T>;

/**
 * Watches all objects of one kind once it is started, whatever happens to the API server.
 * @param changed is called after each change
 */
export function watching<T extends KubernetesObject>(
  config: KubeConfig,
  path: string,
  list: () => Promise<unknown>,
  changed: () => void = () => {},
): Watching<T> {
  const informer = makeInformer(config, path, list as () => Promise<KubernetesListObject<T>>);
  informer.on('change', changed);
  // The informer gives up on an error and leaves it to its owner to start again.
  informer.on('error', (error) => {
    console.error(`the watch of ${path} failed and starts again: ${error}`);
    setTimeout(() => void informer.start(), RECONNECT_MS).unref();
  });
  return informer;
}
