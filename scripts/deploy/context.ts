import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DeployError, lastLine, output, say } from './tools.ts';

/**
 * Shows where everything goes, and sees to it that every tool goes there: func takes no context, but KUBECONFIG.
 * @param directory for a kubeconfig that has this context alone
 */
export async function useContext(context: string | undefined, directory: string): Promise<void> {
  if (context !== undefined) {
    const view = ['config', 'view', '--raw', '--flatten', '--minify', '--context', context];
    const kubeconfig = await output('kubectl', view).catch((error) => {
      throw new DeployError(`the kubeconfig has no context ${context}: ${lastLine(error)}`);
    });
    process.env.KUBECONFIG = join(directory, 'kubeconfig');
    await writeFile(process.env.KUBECONFIG, kubeconfig, { mode: 0o600 });
  }
  const view = ['config', 'view', '--minify', '-o', 'jsonpath={.current-context} {.clusters[0].cluster.server}'];
  const [name, server] = (await output('kubectl', view).catch(() => '')).split(' ');
  if (name) say(`context ${name}, ${server}`);
}
