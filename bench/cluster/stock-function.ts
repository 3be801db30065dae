import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { binary } from '../../lab/cluster/binaries.ts';
import { BUILD_LOGS } from '../../lab/cluster/build/cached.ts';
import { longRun } from '../../lab/cluster/build/long-run.ts';
import { type ClusterDescription, fabricOf } from '../../lab/cluster/description.ts';
import { digestedName, nodeArchive } from '../../lab/cluster/knative/images.ts';
import { kubectlIn } from '../../lab/cluster/kubectl.ts';
import { giveImages } from '../../lab/cluster/nodes/give-images.ts';
import { manifestsOf, NAMESPACE, OURS } from './stock-manifests.ts';

const STOCK = join(import.meta.dirname, '../stock-function');
const FUNC_YAML = join(import.meta.dirname, '../../functions/reuse-port/func.yaml');
const READY_SECONDS = 25;

/**
 * The function that `func` makes for TypeScript and CloudEvents, deployed as ours are: the same Node.js, broker, probes and
 * resources. It hears of ConfigMaps, which wake no function of ours.
 */
export class StockFunction implements AsyncDisposable {
  readonly names: readonly string[];
  readonly #cluster: ClusterDescription;

  /** @param count how many of it an event wakes, as an event of a migration wakes several of ours */
  static async deploy(cluster: ClusterDescription, count: number): Promise<StockFunction> {
    const names = Array.from({ length: count }, (_, index) => `stock-${index + 1}`);
    const stock = new StockFunction(cluster, names);
    const archive = await stockArchive();
    await giveImages(cluster, archive);
    const image = await digestedName(archive);
    for (const name of names) await stock.#deploy(name, image);
    const file = join(cluster.directory, 'stock.json');
    await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifestsOf(names) }));
    await kubectlIn(cluster, 'apply', '-f', file);
    const kinds = 'apiserversources.sources.knative.dev,triggers.eventing.knative.dev';
    const ready = ['wait', kinds, '-l', OURS, '--for=condition=Ready', `--timeout=${READY_SECONDS}s`];
    await kubectlIn(cluster, '-n', NAMESPACE, ...ready);
    return stock;
  }

  private constructor(cluster: ClusterDescription, names: readonly string[]) {
    this.#cluster = cluster;
    this.names = names;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const kinds = [
      ...['apiserversources.sources.knative.dev', 'triggers.eventing.knative.dev', 'services.serving.knative.dev'],
      ...['configmaps', 'roles', 'rolebindings', 'serviceaccounts'],
    ];
    await kubectlIn(this.#cluster, '-n', NAMESPACE, 'delete', kinds.join(), '-l', OURS, '--wait=false');
  }

  /** With our own func.yaml but for what is ours in it. */
  async #deploy(name: string, image: string): Promise<void> {
    const folder = join(this.#cluster.directory, name);
    await mkdir(folder, { recursive: true });
    const spec = parseDocument(await readFile(FUNC_YAML, 'utf8'));
    spec.set('name', name);
    spec.delete('run');
    spec.deleteIn(['deploy', 'serviceAccountName']);
    spec.addIn(['deploy', 'labels'], { key: OURS, value: 'yes' });
    await writeFile(join(folder, 'func.yaml'), spec.toString());
    const args = ['deploy', '--path', folder, '--image', image, '--build=false', '--push=false'];
    await longRun(['ip', 'netns', 'exec', fabricOf(this.#cluster.testbed), binary('func'), ...args], {
      log: join(this.#cluster.logs, 'deploy-stock.log'),
      cwd: folder,
      env: { ...process.env, KUBECONFIG: this.#cluster.kubeconfig },
    });
  }
}

/** As the buildpacks start what `func create` makes: by the script `start` of its package.json. */
async function stockArchive(): Promise<string> {
  const log = join(BUILD_LOGS, 'stock-function.log');
  await longRun(['npm', 'ci', '--no-audit', '--no-fund', '--prefix', STOCK], { log });
  await longRun(['tsc', '-p', STOCK], { log });
  const inputs = await Promise.all(
    ['package-lock.json', 'build/index.js'].map((file) => readFile(join(STOCK, file), 'utf8')),
  );
  const args = ['node_modules/faas-js-runtime/bin/cli.js', './build/index.js'];
  return nodeArchive('image-stock', { name: '127.0.0.1:1/stock-function:built', args }, inputs, async (workspace) => {
    for (const part of ['build', 'node_modules', 'package.json']) {
      await cp(join(STOCK, part), join(workspace, part), { recursive: true, verbatimSymlinks: true });
    }
  });
}
