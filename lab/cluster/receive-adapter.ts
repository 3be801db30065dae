import { setTimeout as sleep } from 'node:timers/promises';
import { Background } from '../background.ts';
import { ofKind, readKustomization } from '../knative/manifests.ts';
import { parseSource, type SourceSpec } from '../knative/source-spec.ts';
import { readAudit } from './audit.ts';
import { binary } from './binaries.ts';
import { serviceAccountKubeconfig } from './service-accounts.ts';

const GRACE_MS = 10_000;
const READY_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 100;

export interface ReceiveAdapterOptions {
  /** Has a kubeconfig for the source's ServiceAccount. */
  readonly serviceAccounts: string;
  /** URL of the brokers' ingress, without the path. */
  readonly broker: string;
  /** File for what it says. */
  readonly output: string;
  /** kube-apiserver's audit log, which tells when it watches. */
  readonly audit: string;
}

/** Knative's own apiserver_receive_adapter, one for each source, as the controller of ApiServerSource deploys it. */
export class ReceiveAdapter {
  readonly #specs: readonly SourceSpec[];
  readonly #options: ReceiveAdapterOptions;
  #processes: Background[] = [];

  /** The adapters of the ApiServerSources of a kustomization; they do not run yet. */
  static async of(eventing: string, options: ReceiveAdapterOptions): Promise<ReceiveAdapter> {
    const sources = ofKind(await readKustomization(eventing), 'sources.knative.dev/v1', 'ApiServerSource');
    if (sources.length === 0) throw new Error(`${eventing} has no ApiServerSource.`);
    return new ReceiveAdapter(sources.map(parseSource), options);
  }

  private constructor(specs: readonly SourceSpec[], options: ReceiveAdapterOptions) {
    this.#specs = specs;
    this.#options = options;
  }

  /** Resolves when they watch: what happened before, they never report. */
  async start(): Promise<void> {
    this.#processes = [];
    // One after the other, because the audit log does not distinguish those of one ServiceAccount.
    for (const spec of this.#specs) await this.#startOne(spec);
  }

  async #startOne(spec: SourceSpec): Promise<void> {
    const { output } = this.#options;
    const startedAt = Date.now();
    const env = this.#env(spec);
    const process = new Background({ file: binary('apiserver_receive_adapter'), args: [], env }, output);
    this.#processes.push(process);
    let end: string | undefined;
    void process.ended.then((how) => {
      end = how;
    });
    while (!(await this.#watches(spec, startedAt))) {
      if (end !== undefined) throw new Error(`the receive adapter ended: ${end} (${output})`);
      if (Date.now() > startedAt + READY_WITHIN_MS) throw new Error(`the receive adapter does not watch (${output})`);
      await sleep(LOOK_EVERY_MS);
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.stop(GRACE_MS)));
  }

  /** As when their node dies. */
  async kill(): Promise<void> {
    for (const process of this.#processes) process.kill('SIGKILL');
    await Promise.all(this.#processes.map(({ ended }) => ended));
  }

  /** The environment that the controller gives an adapter (pkg/reconciler/apiserversource/resources/receive_adapter.go). */
  #env({ name, namespace, serviceAccount, allNamespaces, resources, extensions, sink }: SourceSpec): NodeJS.ProcessEnv {
    const { serviceAccounts, broker } = this.#options;
    const config = {
      // The controller says of a source of all namespaces that it is in the one with the empty name.
      namespaces: [allNamespaces ? '' : namespace],
      allNamespaces,
      resources: resources.map(({ apiVersion, plural, selector }) => {
        const [version = '', group = ''] = apiVersion.split('/').reverse();
        return { gvr: { Group: group, Version: version, Resource: plural }, ...(selector && { selector }) };
      }),
      mode: 'Resource',
    };
    return {
      KUBECONFIG: serviceAccountKubeconfig(serviceAccounts, namespace, serviceAccount),
      NAME: name,
      NAMESPACE: namespace,
      SYSTEM_NAMESPACE: 'knative-eventing',
      K_SOURCE_CONFIG: JSON.stringify(config),
      K_CE_OVERRIDES: JSON.stringify({ extensions }),
      K_SINK: `${broker}/${sink.namespace}/${sink.name}`,
    };
  }

  async #watches({ namespace, serviceAccount, resources }: SourceSpec, since: number): Promise<boolean> {
    const watching = (await readAudit(this.#options.audit)).filter(
      ({ user, verb, stageTimestamp }) =>
        user.username === `system:serviceaccount:${namespace}:${serviceAccount}` &&
        verb === 'watch' &&
        Date.parse(stageTimestamp) >= since,
    );
    return resources.every(({ plural }) => watching.some(({ objectRef }) => objectRef?.resource === plural));
  }
}
