import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { CommandError, EXIT } from '../errors.ts';

export interface KubeconfigOptions {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
}

/**
 * The kubeconfig that kubectl would take: the option, KUBECONFIG, or the one in the home directory.
 * @throws CommandError where there is none, or none with such a context
 */
export function loadKubeconfig({ kubeconfig, context }: KubeconfigOptions, env: NodeJS.ProcessEnv): KubeConfig {
  const config = new KubeConfig();
  const files = kubeconfig ?? env.KUBECONFIG ?? join(env.HOME ?? homedir(), '.kube/config');
  const present = files.split(':').filter((file) => file !== '' && existsSync(file));
  if (present.length === 0) {
    throw new CommandError(EXIT.usage, `there is no kubeconfig at ${files}: set KUBECONFIG, or give --kubeconfig`);
  }
  try {
    const [first, ...more] = present;
    config.loadFromFile(first!);
    for (const file of more) {
      const other = new KubeConfig();
      other.loadFromFile(file);
      config.mergeConfig(other, true);
    }
  } catch (error) {
    throw new CommandError(EXIT.usage, `the kubeconfig ${files} cannot be read: ${(error as Error).message}`);
  }
  if (context !== undefined) {
    const names = config.getContexts().map(({ name }) => name);
    if (!names.includes(context)) {
      throw new CommandError(EXIT.usage, `the kubeconfig has no context ${context}; it has ${names.join(', ')}`);
    }
    config.setCurrentContext(context);
  }
  if (config.getCurrentCluster() === null) {
    throw new CommandError(EXIT.usage, `the kubeconfig ${files} has no current context: give --context`);
  }
  return config;
}
