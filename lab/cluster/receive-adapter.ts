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

/** Knative's own apiserver_receive_adapter, as the controller of ApiServerSource deploys it. */
export class ReceiveAdapter {
  readonly #spec: SourceSpec;
  readonly #options: ReceiveAdapterOptions;
  #process: Background | undefined;

  /** The adapter of the one ApiServerSource of a kustomization; it does not run yet. */
  static async of(eventing: string, options: ReceiveAdapterOptions): Promise<ReceiveAdapter> {
    const [source] = ofKind(await readKustomization(eventing), 'sources.knative.dev/v1', 'ApiServerSource');
    if (source === undefined) throw new Error(`${eventing} has no ApiServerSource.`);
    return new ReceiveAdapter(parseSource(source), options);
  }

  private constructor(spec: SourceSpec, options: ReceiveAdapterOptions) {
    this.#spec = spec;
    this.#options = options;
  }

  /** Resolves when it watches: what happened before, it never tells. */
  async start(): Promise<void> {
    const { output } = this.#options;
    const startedAt = Date.now();
    const process = new Background({ file: binary('apiserver_receive_adapter'), args: [], env: this.#env() }, output);
    this.#process = process;
    let end: string | undefined;
    void process.ended.then((how) => {
      end = how;
    });
    while (!(await this.#watches(startedAt))) {
      if (end !== undefined) throw new Error(`the receive adapter ended: ${end} (${output})`);
      if (Date.now() > startedAt + READY_WITHIN_MS) throw new Error(`the receive adapter does not watch (${output})`);
      await sleep(LOOK_EVERY_MS);
    }
  }

  async stop(): Promise<void> {
    await this.#process?.stop(GRACE_MS);
  }

  /** As when its node dies. */
  async kill(): Promise<void> {
    this.#process?.kill('SIGKILL');
    await this.#process?.ended;
  }

  /** The environment that the controller gives it (pkg/reconciler/apiserversource/resources/receive_adapter.go). */
  #env(): NodeJS.ProcessEnv {
    const { serviceAccounts, broker } = this.#options;
    const { name, namespace, serviceAccount, allNamespaces, resources, sink } = this.#spec;
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
      K_SINK: `${broker}/${sink.namespace}/${sink.name}`,
    };
  }

  async #watches(since: number): Promise<boolean> {
    const { namespace, serviceAccount, resources } = this.#spec;
    const watching = (await readAudit(this.#options.audit)).filter(
      ({ user, verb, stageTimestamp }) =>
        user.username === `system:serviceaccount:${namespace}:${serviceAccount}` &&
        verb === 'watch' &&
        Date.parse(stageTimestamp) >= since,
    );
    return resources.every(({ plural }) => watching.some(({ objectRef }) => objectRef?.resource === plural));
  }
}
