import { TryAgainError } from '../decision/errors.ts';
import type { VirtualMachineInstance, VirtualMachineInstanceMigration } from '../decision/kubevirt.ts';
import type { EventObject } from './event.ts';
import type { Exchange, HttpRequest } from './http.ts';
import type { KubernetesApi, PatchResult } from './kubernetes.ts';

const CORE = ['api', 'v1'] as const;
const KUBEVIRT = ['apis', 'kubevirt.io', 'v1'] as const;
const EVENTS = ['apis', 'events.k8s.io', 'v1'] as const;
const MIGRATIONS = 'virtualmachineinstancemigrations';
/** KubeVirt labels a VMIM with the name of its VMI where that fits into a label. */
const MAX_LABEL_LENGTH = 63;

interface Send {
  /** For error messages: what is done to which object. */
  readonly what: string;
  readonly method?: HttpRequest['method'];
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
}

/** What the API server says of an object that is not there, or not as the request takes it to be. */
const NOT_FOUND = Symbol('NotFound');
const CONFLICT = Symbol('Conflict');

/** The requests that the hand-over makes to the Kubernetes API, as HTTP, and what its answers mean. */
export function kubernetesClient(exchange: Exchange): KubernetesApi {
  /** @throws TryAgainError when the API server is away, or answers with any other error than NotFound and Conflict */
  async function send<Result>(request: Send): Promise<Result | typeof NOT_FOUND | typeof CONFLICT> {
    const { what, method = 'GET', path, query, body } = request;
    try {
      const { status, content } = await exchange({ method, path, ...(query && { query }), ...(body && { body }) });
      if (status === 404 && isNamed(content, path.at(-1)!)) return NOT_FOUND;
      if (status === 409) return CONFLICT;
      if (status < 200 || status > 299) throw new Error(`HTTP ${status}`);
      return JSON.parse(content) as Result;
    } catch (error) {
      throw new TryAgainError(`Kubernetes API: ${what}: ${(error as Error).message}`, { cause: error });
    }
  }

  async function list<Item>(
    what: string,
    path: readonly string[],
    query: Send['query'] = {},
  ): Promise<readonly Item[]> {
    const result = await send<{ readonly items: readonly Item[] }>({ what, path, query });
    if (typeof result === 'symbol') throw new TryAgainError(`Kubernetes API: ${what}: ${result.description}`);
    return result.items;
  }

  async function get<Item>(what: string, path: readonly string[]): Promise<Item | undefined> {
    const result = await send<Item>({ what, path });
    return typeof result === 'symbol' ? undefined : result;
  }

  async function patch(what: string, path: readonly string[], body: object): Promise<PatchResult> {
    const result = await send({ what, method: 'PATCH', path, body });
    return result === NOT_FOUND ? 'NotFound' : result === CONFLICT ? 'Conflict' : 'patched';
  }

  return {
    listMigrations({ namespace, name }, { labelled }) {
      const hasLabel = labelled && name.length <= MAX_LABEL_LENGTH;
      return list(
        `list VMIMs of VMI ${namespace}/${name}`,
        [...KUBEVIRT, 'namespaces', namespace, MIGRATIONS],
        hasLabel ? { labelSelector: `kubevirt.io/vmi-name=${name}` } : {},
      );
    },
    listAllMigrations: () => list('list VMIMs', [...KUBEVIRT, MIGRATIONS]),
    getMigration: ({ metadata: { namespace, name } }) =>
      get<VirtualMachineInstanceMigration>(`get VMIM ${namespace}/${name}`, [
        ...KUBEVIRT,
        'namespaces',
        namespace,
        MIGRATIONS,
        name,
      ]),
    getVmi: ({ namespace, name }) =>
      get<VirtualMachineInstance>(`get VMI ${namespace}/${name}`, [
        ...KUBEVIRT,
        'namespaces',
        namespace,
        'virtualmachineinstances',
        name,
      ]),
    listLauncherPods(namespace, vmiUid) {
      return list(
        `list virt-launcher pods of VMI ${vmiUid} in ${namespace}`,
        [...CORE, 'namespaces', namespace, 'pods'],
        { labelSelector: `kubevirt.io=virt-launcher,kubevirt.io/created-by=${vmiUid}` },
      );
    },
    listPendingTargets: () =>
      list('list pending target pods', [...CORE, 'pods'], {
        labelSelector: 'kubevirt.io=virt-launcher,kubevirt.io/migrationJobUID',
        fieldSelector: 'status.phase=Pending',
      }),
    patchPod: ({ metadata: { namespace, name } }, body) =>
      patch(`patch pod ${namespace}/${name}`, [...CORE, 'namespaces', namespace, 'pods', name], body),
    patchMigration: ({ metadata: { namespace, name } }, body) =>
      patch(`patch VMIM ${namespace}/${name}`, [...KUBEVIRT, 'namespaces', namespace, MIGRATIONS, name], body),
    async createEvent(event) {
      const { namespace, name } = event.metadata;
      const what = `create event ${namespace}/${name}`;
      const result = await send({ what, method: 'POST', path: eventsOf(namespace), body: event });
      return result === CONFLICT ? 'AlreadyExists' : 'created';
    },
    getEvent: ({ metadata: { namespace, name } }) =>
      get<EventObject>(`get event ${namespace}/${name}`, [...eventsOf(namespace), name]),
    patchEvent: ({ metadata: { namespace, name } }, body) =>
      patch(`patch event ${namespace}/${name}`, [...eventsOf(namespace), name], body),
  };
}

/**
 * Whether a 404 is of the object that was asked for. It is also of every path that is not served, such as that of a custom
 * resource whose definition is away for a moment: then nothing is known of any object (meta/v1, Status).
 */
function isNamed(content: string, name: string): boolean {
  try {
    const { kind, reason, details } = JSON.parse(content);
    return kind === 'Status' && reason === 'NotFound' && details?.name === name;
  } catch {
    return false;
  }
}

function eventsOf(namespace: string): readonly string[] {
  return [...EVENTS, 'namespaces', namespace, 'events'];
}
