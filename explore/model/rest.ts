import type { ApiServer } from './api-server.ts';
import { type KubernetesObject, NAMESPACE, type ObjectMeta, type Pod, type Vmim } from './objects.ts';

export interface HttpRequest {
  readonly method: string;
  /** Segments, such as `api`, `v1`, `pods`. */
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object | undefined;
}

export interface HttpReply {
  readonly status: number;
  readonly content: string;
}

/** An Event as it is POSTed, as far as anybody here reads it. */
export interface RecordedEvent {
  readonly type: string;
  readonly reason: string;
  readonly note: string;
  readonly reportingController: string;
  readonly regarding: { readonly name: string; readonly uid: string };
  readonly series?: { readonly count: number };
}

interface StoredEvent extends RecordedEvent {
  readonly metadata: ObjectMeta;
}

const VMIS = 'virtualmachineinstances';
const VMIMS = 'virtualmachineinstancemigrations';

/** The API server's front: kube-apiserver's answers to the requests that a function may make, and no other. */
export class RestApi {
  /** Groups of which no path is served now: an aggregated API, or a CRD, that is being replaced. */
  readonly unserved = new Set<string>();
  /** Called before a target pod is written. */
  onPatch: (pod: Pod, patch: Partial<Pod>) => void = () => {};
  onEvent: (event: RecordedEvent) => void = () => {};
  readonly #server: ApiServer;
  readonly #events = new Map<string, StoredEvent>();
  #eventVersions = 0;

  constructor(server: ApiServer) {
    this.#server = server;
  }

  serve({ method, path, query = {}, body }: HttpRequest): HttpReply {
    const [root, second, ...rest] = path;
    const group = root === 'api' ? 'core' : second!;
    // No Status: there is nothing behind this path that could write one.
    if (this.unserved.has(group)) return { status: 404, content: '404 page not found\n' };
    const segments = root === 'api' ? rest : rest.slice(1);
    const namespaced = segments[0] === 'namespaces';
    const [resource, name] = namespaced ? segments.slice(2) : segments;
    // What a namespace is asked for need not be there: no list fails for that, and a 404 is of the object.
    if (namespaced && segments[1] !== NAMESPACE)
      return name === undefined ? list([], query) : notFound(resource!, name);
    switch (`${method} ${resource}${name === undefined ? '' : '/'}`) {
      case `GET ${VMIS}/`: {
        const vmi = this.#server.vmNamed(name!)?.vmi;
        return vmi ? found(vmi) : notFound(VMIS, name!);
      }
      case `GET ${VMIS}`:
        return list(
          this.#server.vms.flatMap(({ vmi }) => vmi ?? []),
          query,
        );
      case `GET ${VMIMS}`:
        return list(
          this.#server.vms.flatMap(({ vmims }) => vmims),
          query,
        );
      case `GET ${VMIMS}/`: {
        const vmim = this.#server.vms.flatMap(({ vmims }) => vmims).find(({ metadata }) => metadata.name === name);
        return vmim ? found(vmim) : notFound(VMIMS, name!);
      }
      case 'GET pods':
        return list(
          this.#server.vms.flatMap(({ pods }) => pods),
          query,
        );
      case 'GET pods/': {
        const pod = this.#server.vms.flatMap(({ pods }) => pods).find(({ metadata }) => metadata.name === name);
        return pod ? found(pod) : notFound('pods', name!);
      }
      case 'PATCH pods/':
        return this.#patchPod(name!, body as Partial<Pod>);
      case `PATCH ${VMIMS}/`:
        return this.#annotateVmim(name!, (body as Vmim).metadata);
      case 'POST events':
        return this.#createEvent(body as StoredEvent);
      case 'GET events/': {
        const event = this.#events.get(name!);
        return event ? found(event) : notFound('events', name!);
      }
      case 'PATCH events/':
        return this.#patchEvent(name!, body as StoredEvent);
      default:
        throw new Error(`A function has no business with ${method} /${path.join('/')}.`);
    }
  }

  /** A JSON merge patch; that of a scheduling gate counts only for a pod that is not scheduled, and only takes away. */
  #patchPod(name: string, patch: Partial<Pod>): HttpReply {
    const vm = this.#server.vms.find(({ pods }) => pods.some(({ metadata }) => metadata.name === name));
    const pod = vm?.pods.find(({ metadata }) => metadata.name === name);
    if (vm === undefined || pod === undefined) return notFound('pods', name);
    const { uid, resourceVersion, annotations } = patch.metadata ?? ({} as Partial<ObjectMeta>);
    const isOther =
      (uid !== undefined && uid !== pod.metadata.uid) ||
      (resourceVersion !== undefined && resourceVersion !== pod.metadata.resourceVersion);
    if (isOther) return status(409, 'Conflict', 'pods', name);
    this.onPatch(pod, patch);
    this.#server.updatePod(vm, pod, {
      metadata: { annotations: { ...pod.metadata.annotations, ...annotations } },
      ...(patch.spec && { spec: patch.spec }),
    });
    return found(vm.podNow(pod));
  }

  #annotateVmim(name: string, { uid, resourceVersion, annotations }: ObjectMeta): HttpReply {
    const vm = this.#server.vms.find(({ vmims }) => vmims.some(({ metadata }) => metadata.name === name));
    const vmim = vm?.vmims.find(({ metadata }) => metadata.name === name);
    if (vm === undefined || vmim === undefined) return notFound(VMIMS, name);
    const isOther = uid !== vmim.metadata.uid || resourceVersion !== vmim.metadata.resourceVersion;
    if (isOther) return status(409, 'Conflict', VMIMS, name);
    return found(this.#server.annotateVmim(vm, vmim, annotations));
  }

  #createEvent(event: StoredEvent): HttpReply {
    const { name } = event.metadata;
    if (this.#events.has(name)) return status(409, 'AlreadyExists', 'events', name);
    this.#storeEvent(event);
    this.onEvent(event);
    return { status: 201, content: '{}' };
  }

  #patchEvent(name: string, { metadata, series }: StoredEvent): HttpReply {
    const event = this.#events.get(name);
    if (event === undefined) return notFound('events', name);
    if (metadata.resourceVersion !== event.metadata.resourceVersion) return status(409, 'Conflict', 'events', name);
    return found(this.#storeEvent({ ...event, ...(series && { series }) }));
  }

  #storeEvent(event: StoredEvent): StoredEvent {
    const metadata = { ...event.metadata, resourceVersion: String(++this.#eventVersions) };
    const stored = { ...event, metadata };
    this.#events.set(metadata.name, stored);
    return stored;
  }
}

function found(object: KubernetesObject | StoredEvent): HttpReply {
  return { status: 200, content: jsonOf(object) };
}

/** What was written of an object that is read again and again, as long as it stays: none is changed in place. */
const written = new WeakMap<object, string>();

function jsonOf(object: object): string {
  let json = written.get(object);
  if (json === undefined) {
    json = JSON.stringify(object);
    written.set(object, json);
  }
  return json;
}

function list(
  items: readonly KubernetesObject[],
  { labelSelector, fieldSelector }: Readonly<Record<string, string>>,
): HttpReply {
  const phase = fieldSelector === undefined ? undefined : /^status\.phase=(\w+)$/.exec(fieldSelector)?.[1];
  if (fieldSelector !== undefined && phase === undefined) throw new Error('The model selects by status.phase alone.');
  const wanted = (labelSelector ?? '').split(',').filter(Boolean);
  const selected = items.filter(
    ({ metadata: { labels }, status }) =>
      (phase === undefined || status.phase === phase) &&
      wanted.every((requirement) => {
        const [key, value] = requirement.split('=');
        return value === undefined ? key! in labels : labels[key!] === value;
      }),
  );
  return { status: 200, content: `{"kind":"List","metadata":{},"items":[${selected.map(jsonOf).join()}]}` };
}

function notFound(resource: string, name: string): HttpReply {
  return status(404, 'NotFound', resource, name);
}

/** What tells an object that is gone from a path that is not served: the Status names it. */
function status(code: number, reason: string, resource: string, name: string): HttpReply {
  const group = resource.startsWith('virtualmachine') ? { group: 'kubevirt.io' } : {};
  const details = { name, ...group, kind: resource };
  return {
    status: code,
    content: JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, code, details }),
  };
}
