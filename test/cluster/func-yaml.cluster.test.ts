import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Ajv, type ValidateFunction } from 'ajv';
import { build as esbuild } from 'esbuild';
import { parse } from 'yaml';
import { binary } from '../../lab/cluster/binaries.ts';
import { goSources } from '../../lab/cluster/go-sources.ts';
import { build } from '../../testkit/function-process.ts';
import { Served } from '../functions/server/support/served.ts';
import { invokeThroughMigration, STEPS } from '../installation/support/func-invoke.ts';

jest.setTimeout(60_000);

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const FILES = ['func.yaml', ...STEPS.map((step) => `functions/${step}/func.yaml`)];
const read = async (file: string) => parse(await readFile(join(PROJECT, file), 'utf8'));

describe("func's own schema", () => {
  let validate: ValidateFunction;

  beforeAll(async () => {
    const func = await goSources('func', 'knative.dev/func/cmd/func');
    const schema = await readFile(join(func, '../../schema/func_yaml-schema.json'), 'utf8');
    // It names draft 4, and uses nothing that draft 7 reads in another way.
    const withoutDraft = JSON.parse(schema, (key, value) => (key === '$schema' ? undefined : value));
    validate = new Ajv({ strict: false, formats: { 'date-time': true } }).compile(withoutDraft);
  });

  test.each(FILES)('accepts %s', async (file) => {
    expect(validate(await read(file)) ? [] : validate.errors).toEqual([]);
  });

  test.each<[string, (file: ReturnType<typeof parse>) => void]>([
    ['a field of the function', (file) => Object.assign(file, { runtme: 'typescript' })],
    ['an environment variable', ({ run }) => run.envs.push({ name: 'OVN CERT', value: '/etc' })],
    ['a volume', ({ run }) => run.volumes.push({ secrets: 'ovn-client-tls', path: '/etc/x' })],
    ['an annotation', ({ deploy }) => Object.assign(deploy, { annotations: { 'example.com/a': 1 } })],
    ['a label', ({ deploy }) => deploy.labels.push({ key: 'visibility/', value: 'x' })],
    ['the scale', ({ deploy }) => Object.assign(deploy.options.scale, { minimum: 1 })],
    ['the resources', ({ deploy }) => Object.assign(deploy.options.resources.limits, { memory: '256 MB' })],
    ['the probes', ({ deploy }) => Object.assign(deploy.healthEndpoints, { startup: '/' })],
  ])('catches a mistake in %s', async (_, mistake) => {
    const file = await read('functions/reuse-port/func.yaml');
    expect(validate(file)).toBe(true);
    mistake(file);
    expect(validate(file)).toBe(false);
  });
});

test('func invoke takes a VM through a migration, event by event, and to its end', async () => {
  build();
  await invokeThroughMigration();
});

describe.each([
  ['cloudevents', 'cloudevent', '"message": "OK"', 'tiger'],
  ['http', 'http', 'OK', 'body: '],
])("func's own template %s for TypeScript, served by our server", (template, format, answer, logged) => {
  test('answers func invoke', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'handover-template-'));
    try {
      await func(folder, 'create', '--language', 'typescript', '--template', template, 'made');
      const module = join(folder, 'made/function.mjs');
      await esbuild({
        ...{ entryPoints: [join(folder, 'made/src/index.ts')], outfile: module, bundle: true, platform: 'node' },
        // Its own dependencies are not installed; ours have what it needs of them.
        ...{ format: 'esm', nodePaths: [join(PROJECT, 'node_modules')], banner: { js: REQUIRE }, logLevel: 'silent' },
      });
      await using served = await Served.start('ours', module);
      const path = ['--path', join(folder, 'made'), '--target', served.url];
      expect(await func(folder, 'invoke', ...path, '--format', format, '--data', '{"name":"tiger"}')).toContain(answer);
      expect(served.output).toContain(logged);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

/** Some of what is bundled is CommonJS, and asks for modules of Node.js by require. */
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

async function func(home: string, ...args: string[]): Promise<string> {
  const env = { ...process.env, HOME: home };
  return (await promisify(execFile)(binary('func'), args, { cwd: home, env })).stdout;
}
