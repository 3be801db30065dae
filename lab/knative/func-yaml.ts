import { glob } from 'node:fs/promises';
import { join } from 'node:path';
import { anyFields, list, readYaml, text } from './manifests.ts';

/** What the activator needs to know of a function's `func.yaml`. */
export interface FunctionSpec {
  readonly name: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  /** The literal ones; what comes from a ConfigMap or a Secret has to be given by whoever starts the function. */
  readonly env: Readonly<Record<string, string>>;
  /** Path that answers 200 when the function can take requests. */
  readonly readiness: string;
}

/** Reads `functions/<step>/func.yaml` of a project. */
export async function readFunctions(project: string): Promise<FunctionSpec[]> {
  const specs: FunctionSpec[] = [];
  for await (const file of glob(join(project, 'functions', '*', 'func.yaml'))) specs.push(await readFunction(file));
  return specs;
}

async function readFunction(file: string): Promise<FunctionSpec> {
  const [document] = await readYaml(file);
  const spec = anyFields(document, file);
  const deploy = anyFields(spec.deploy ?? {}, `${file}: deploy`);
  const health = anyFields(deploy.healthEndpoints ?? {}, `${file}: deploy.healthEndpoints`);
  return {
    name: text(spec.name, `${file}: name`),
    namespace: text(deploy.namespace ?? 'default', `${file}: deploy.namespace`),
    serviceAccount: text(deploy.serviceAccountName ?? 'default', `${file}: deploy.serviceAccountName`),
    env: literalEnv(anyFields(spec.run ?? {}, `${file}: run`).envs, `${file}: run.envs`),
    readiness: text(health.readiness ?? '/health/readiness', `${file}: deploy.healthEndpoints.readiness`),
  };
}

function literalEnv(envs: unknown, where: string): Record<string, string> {
  const literal: Record<string, string> = {};
  for (const entry of envs === undefined ? [] : list(envs, where)) {
    const { name, value } = anyFields(entry, where);
    if (typeof name === 'string' && typeof value === 'string' && !value.startsWith('{{')) literal[name] = value;
  }
  return literal;
}
