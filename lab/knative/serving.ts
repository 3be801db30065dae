import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Activator } from './activator.ts';
import type { FunctionSpec } from './func-yaml.ts';
import type { FunctionCommand } from './function-process.ts';
import type { Journal } from './journal.ts';
import { ManifestError } from './manifests.ts';
import type { ServiceReference } from './trigger.ts';

export interface ServingOptions {
  readonly functions: readonly FunctionSpec[];
  /** What runs in a function's container; its `env` goes over that of the function's `func.yaml`. */
  readonly command: (spec: FunctionSpec) => FunctionCommand;
  /** Milliseconds without a request after which a function's process is ended. */
  readonly idle: number;
  /** Folder for `<function>.log`, the output of its processes. */
  readonly logs: string;
  readonly journal: Journal;
}

/** The stand-in for Knative Serving: functions that run only while there is something for them. */
export class Serving {
  readonly #activators: ReadonlyMap<string, Activator>;

  constructor({ functions, command, idle, logs, journal }: ServingOptions) {
    mkdirSync(logs, { recursive: true });
    this.#activators = new Map(
      functions.map((spec) => {
        const { env, ...rest } = command(spec);
        const ownEnv = { K_SERVICE: spec.name, ...spec.env, ...env };
        const output = join(logs, `${spec.name}.log`);
        return [keyOf(spec), new Activator({ spec, command: { ...rest, env: ownEnv }, idle, output, journal })];
      }),
    );
  }

  async start(): Promise<void> {
    await Promise.all([...this.#activators.values()].map((activator) => activator.start()));
  }

  /** @throws ManifestError when there is no such function. */
  urlOf(service: ServiceReference): string {
    const activator = this.#activators.get(keyOf(service));
    if (!activator) {
      const known = [...this.#activators.keys()].join(', ') || 'none';
      throw new ManifestError(
        `Service ${keyOf(service)}`,
        `no functions/*/func.yaml has this name; known are ${known}`,
      );
    }
    return activator.url;
  }

  /** Ends all processes. */
  async stop(): Promise<void> {
    await Promise.all([...this.#activators.values()].map((activator) => activator.stop()));
  }
}

function keyOf({ namespace, name }: ServiceReference): string {
  return `${namespace}/${name}`;
}
