/** What `npm run release` makes, and an installation that has nothing but that, on a real API server. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { binary } from '../../lab/cluster/binaries.ts';
import { inImageRoot } from '../../testkit/image-root.ts';
import { ApiServer } from '../cluster/support/api-server.ts';
import { commandsIn } from '../docs/blocks.ts';
import { Buildah, PROJECT } from './support/engine.ts';
import { invokeThroughMigration, STEPS } from './support/func-invoke.ts';
import { Registry } from './support/registry.ts';

jest.setTimeout(1_800_000);

/** func asks the registry whether it may pull: nobody listens there. */
const IMAGE = '127.0.0.1:1/ovn-handover';
const VERSION = JSON.parse(await readFile(join(PROJECT, 'package.json'), 'utf8')).version as string;
const PATH = `${dirname(binary('kubectl'))}:${process.env.PATH}`;

let buildah: Buildah;
let api: ApiServer;
let folder: string;
let digest: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'handover-release-'));
  buildah = await Buildah.start();
  await release('release');
  const layout = await run('tar', ['-xOf', inRelease(`ovn-handover-${VERSION}-image.tar`), './index.json']);
  digest = JSON.parse(layout).manifests[0].digest;
  api = await ApiServer.start();
});
afterAll(async () => {
  await Promise.all([api, buildah].map((part) => part?.[Symbol.asyncDispose]()));
  await rm(folder, { recursive: true, force: true });
});

const inRelease = (file: string) => join(folder, 'release', file);

async function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = PROJECT): Promise<string> {
  const all = { ...process.env, NODE_OPTIONS: '', PATH, ...buildah.env, ...env };
  return (await promisify(execFile)(file, args, { cwd, env: all, maxBuffer: 64 * 1024 * 1024 })).stdout;
}

async function script(name: 'release' | 'deploy', ...args: readonly string[]): Promise<string> {
  return run(process.execPath, ['--conditions=ovn-handover-source', '--no-warnings', `scripts/${name}.ts`, ...args]);
}

async function release(name: string): Promise<void> {
  const engine = ['--engine', 'buildah', '--base', buildah.base];
  await script('release', '--image', IMAGE, ...engine, '--out', join(folder, name));
}

test('a release is the same to the byte when it is made again, the image from its sources on', async () => {
  await release('again');
  const [first, again] = await Promise.all(
    ['release', 'again'].map((name) => readFile(join(folder, name, 'SHA256SUMS'), 'utf8')),
  );
  expect(again).toBe(first);
  const names = first!
    .trimEnd()
    .split('\n')
    .map((line) => line.split('  ')[1]);
  expect(names).toEqual((await readdir(inRelease(''))).filter((name) => name !== 'SHA256SUMS').sort());
});

test('each function answers func invoke from inside the image, as some user and with a read-only root', async () => {
  const image = `oci-archive:${inRelease(`ovn-handover-${VERSION}-image.tar`)}`;
  const id = await buildah.run('pull', image);
  const { OCIv1 } = JSON.parse(await buildah.run('inspect', '--type', 'image', id));
  expect(OCIv1.config).toMatchObject({ User: '65532:65532', Entrypoint: ['node', '/app/index.mjs'] });
  const root = await buildah.mount(id);
  for (const user of ['65532:65532', '4711:4712']) {
    await invokeThroughMigration(inImageRoot(root, user, OCIv1.config.Entrypoint));
  }
  const [file, ...args] = inImageRoot(root, '0:0', ['node', '-e', 'fs.writeFileSync("/app/x", "")']);
  await expect(run(file, args)).rejects.toThrow('EROFS');
});

describe('from a folder that has nothing but the release', () => {
  let blocks: readonly string[];
  let environment: NodeJS.ProcessEnv;
  const shell = (commands: string) => {
    const script = ['set -euo pipefail', 'skopeo() { echo "skopeo $*"; }', DOCTOR_MAY_COMPLAIN, commands];
    return run('bash', ['-c', script.join('\n')], environment, join(folder, 'empty'));
  };

  beforeAll(async () => {
    await cp(inRelease(''), join(folder, 'empty'), { recursive: true });
    blocks = commandsIn('docs/release.md');
    const prefix = join(folder, 'prefix');
    await mkdir(prefix);
    const npm = { npm_config_prefix: prefix, npm_config_offline: 'true', npm_config_update_notifier: 'false' };
    environment = { ...npm, KUBECONFIG: api.kubeconfig, PATH: `${join(prefix, 'bin')}:${PATH}` };
  });

  test('docs/release.md installs it: the image by its digest, all that hears of events, the gate and the command line', async () => {
    expect(blocks).toHaveLength(2);
    const pushed = await shell(blocks[0]!);
    expect(pushed).toContain(`skopeo copy --preserve-digests oci-archive:ovn-handover-${VERSION}-image.tar`);
    const services = 'services.serving.knative.dev';
    // Nobody is there who would make them ready.
    const ready = JSON.stringify({ status: { conditions: [{ type: 'Ready', status: 'True' }] } });
    for (const step of STEPS) {
      const patch = ['patch', services, step, '--subresource=status', '--type=merge', '-p', ready];
      await api.kubectl('-n', 'ovn-handover', ...patch);
    }
    expect(await shell(blocks[1]!)).toContain('Kubernetes');

    const { items } = JSON.parse(await api.kubectl('-n', 'ovn-handover', 'get', services, '-o', 'json'));
    const images = items.map((item: Service) => [item.metadata.name, item.spec.template.spec.containers[0]!.image]);
    const image = `registry.example.com/infra/ovn-handover@${digest}`;
    expect(Object.fromEntries(images)).toEqual(Object.fromEntries(STEPS.map((step) => [step, image])));
    const triggers = JSON.parse(await api.kubectl('-n', 'ovn-handover', 'get', 'triggers', '-o', 'json')).items;
    expect(triggers).toHaveLength(6);
    await api.kubectl('get', 'mutatingadmissionpolicybinding', 'ovn-handover-scheduling-gate');
    expect(await shell('ovn-handover --help')).toContain('doctor');
  });

  test('every overlay is taken by the API server, and again without a change', async () => {
    for (const file of (await readdir(join(folder, 'empty'))).filter((name) => name.endsWith('.yaml'))) {
      if (/v1beta1|kafka/.test(file)) continue;
      await shell(`kubectl apply -f ${file}`);
      // The API server puts its defaults into the lists of a policy, so that kubectl finds a change each time.
      const changed = `grep -Ev 'unchanged|^(validating|mutating)admissionpolicy[.]' || true`;
      expect(await shell(`kubectl apply -f ${file} | ${changed}`)).toBe('');
    }
  });
});

test('an image that an engine builds for npm run deploy is pushed, and deployed by the digest that the registry has', async () => {
  await using registry = await Registry.start();
  const image = `${registry.host}/infra/ovn-handover:new`;
  const build = `
    import { buildImage } from ${JSON.stringify(join(PROJECT, 'scripts/deploy/image.ts'))};
    const engine = { command: 'buildah', base: ${JSON.stringify(buildah.base)} };
    console.log(await buildImage(${JSON.stringify(image)}, ${JSON.stringify(PROJECT)}, ${JSON.stringify(folder)}, engine));
  `;
  const file = join(folder, 'build.ts');
  await writeFile(file, build);
  const said = await run(process.execPath, ['--conditions=ovn-handover-source', '--no-warnings', file]);
  expect(said.trim().split('\n').at(-1)).toBe(`${registry.host}/infra/ovn-handover@${registry.digests.get('new')}`);
});

/** A cluster without nodes has much that doctor complains of. */
const DOCTOR_MAY_COMPLAIN = 'ovn-handover() { command ovn-handover "$@" || true; }';

interface Service {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly { readonly image: string }[] } };
  };
}
