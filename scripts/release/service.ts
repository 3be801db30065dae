/** The Knative Service that `func deploy` makes of a function, for whoever installs without func. */

/** What is in `functions/<step>/func.yaml`. */
export interface FuncYaml {
  readonly name: string;
  readonly runtime: string;
  readonly namespace: string;
  readonly run: {
    readonly envs: readonly { readonly name?: string; readonly value: string }[];
    readonly volumes: readonly { readonly secret: string; readonly path: string }[];
  };
  readonly deploy: {
    readonly serviceAccountName: string;
    readonly labels: readonly { readonly key: string; readonly value: string }[];
    readonly healthEndpoints: { readonly liveness: string; readonly readiness: string };
    readonly options: {
      readonly scale: { readonly min: number; readonly max: number };
      readonly resources: object;
    };
  };
}

const PORT = 8080;

/** Beside what func makes, the root is read-only: func has no place for that. */
export function serviceOf({ name, runtime, namespace, run, deploy }: FuncYaml, image: string) {
  const { healthEndpoints, options, serviceAccountName } = deploy;
  const labels = {
    ...Object.fromEntries(deploy.labels.map(({ key, value }) => [key, value])),
    'boson.dev/function': 'true',
    'function.knative.dev/name': name,
    'function.knative.dev/runtime': runtime,
  };
  const annotations = { 'function.knative.dev/deployer': 'knative' };
  const scale = {
    'autoscaling.knative.dev/min-scale': `${options.scale.min}`,
    'autoscaling.knative.dev/max-scale': `${options.scale.max}`,
  };
  const probe = (path: string) => ({ httpGet: { path, port: PORT } });
  const container = {
    image,
    ...envOf(run.envs),
    livenessProbe: probe(healthEndpoints.liveness),
    readinessProbe: probe(healthEndpoints.readiness),
    resources: options.resources,
    securityContext: {
      runAsNonRoot: true,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
    volumeMounts: run.volumes.map(({ secret, path }) => ({ name: `secret-${secret}`, mountPath: path })),
  };
  const volumes = run.volumes.map(({ secret }) => ({ name: `secret-${secret}`, secret: { secretName: secret } }));
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name, namespace, labels, annotations },
    spec: {
      template: {
        metadata: { labels, annotations: { ...annotations, ...scale } },
        spec: { containers: [container], serviceAccountName, volumes },
      },
    },
  };
}

/** A value of the form `{{ configMap:NAME }}`, without a name, stands for all that the ConfigMap has. */
function envOf(envs: FuncYaml['run']['envs']) {
  const env = envs.flatMap(({ name, value }) => (name === undefined ? [] : [{ name, value }]));
  const envFrom = envs
    .filter(({ name }) => name === undefined)
    .map(({ value }) => {
      const [, configMap] = /^\{\{ configMap:(\S+) \}\}$/.exec(value) ?? [];
      if (configMap === undefined) throw new Error(`func.yaml: ${value} is no {{ configMap:NAME }}`);
      return { configMapRef: { name: configMap } };
    });
  return { env, envFrom };
}
