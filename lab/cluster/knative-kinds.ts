import { join } from 'node:path';
import { goSources } from './go-sources.ts';

const EVENTING = ['broker', 'trigger', 'apiserversource', 'pingsource', 'eventtransform'];
const SERVING = ['service', 'route'];

/** Files with the CustomResourceDefinitions of Knative that we use, as Knative itself publishes them. */
export async function knativeKinds(): Promise<string[]> {
  const eventing = await goSources('knative-eventing', 'knative.dev/eventing/config/core/resources');
  const serving = await goSources('func', 'knative.dev/serving/config/core/300-resources');
  return [
    ...EVENTING.map((kind) => join(eventing, `${kind}.yaml`)),
    ...SERVING.map((kind) => join(serving, `${kind}.yaml`)),
  ];
}
