import { CloudEvent } from 'cloudevents';
import type { Action, KubernetesObject } from './resource-watch.ts';

/**
 * The CloudEvent that ApiServerSource makes of a change in Resource mode. Its id is fresh, so nobody can recognise a
 * repetition by it.
 *
 * @param server - URL of the API server.
 * @param extensions - What the source adds to each event.
 */
export function changeEvent(
  server: string,
  action: Action,
  object: KubernetesObject,
  extensions: Readonly<Record<string, string>> = {},
): CloudEvent<KubernetesObject> {
  const { apiVersion, kind } = object;
  const { name, namespace = '' } = object.metadata;
  return new CloudEvent({
    type: `dev.knative.apiserver.resource.${action}`,
    source: server,
    // Also for the core API, which is under /api, and with a plain s for a plural.
    subject: `/apis/${apiVersion}/namespaces/${namespace}/${kind.toLowerCase()}s/${name}`,
    datacontenttype: 'application/json',
    apiversion: apiVersion,
    kind,
    name,
    namespace,
    ...extensions,
    data: object,
  });
}
