import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Ajv, type ValidateFunction } from 'ajv';
import { build as esbuild } from 'esbuild';
import { parse } from 'yaml';
import { PORT_GATE } from '../../handover/decision/kubevirt.ts';
import { binary } from '../../lab/cluster/binaries.ts';
import { goSources } from '../../lab/cluster/go-sources.ts';
import { Cluster } from '../../testkit/cluster.ts';
import { build, FunctionProcess } from '../../testkit/function-process.ts';
import type { Migration } from '../../testkit/kubevirt-vm.ts';
import { addChassis, addPort, addPortBinding, mapOf, OvnDatabase } from '../../testkit/ovn.ts';
import { Served } from '../functions/server/support/served.ts';

jest.setTimeout(60_000);

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const STEPS = ['reuse-port', 'enable-dual-chassis', 'disable-dual-chassis', 'release-port', 'reconcile'];
const FILES = ['func.yaml', ...STEPS.map((step) => `functions/${step}/func.yaml`)];
const PORT = 'web-01.prod';
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

describe('func invoke', () => {
  let directory: string;
  let nb: OvnDatabase;
  let sb: OvnDatabase;
  let cluster: Cluster;
  let migration: Migration;
  let functions: Record<string, FunctionProcess>;

  beforeAll(async () => {
    build();
    directory = await mkdtemp(join(tmpdir(), 'handover-func-'));
    [nb, sb, cluster] = await Promise.all([OvnDatabase.start('nb'), OvnDatabase.start('sb'), Cluster.start()]);
    addChassis(sb, 'chassis-a', 'worker-a', '10.0.0.1');
    addChassis(sb, 'chassis-b', 'worker-b', '10.0.0.2');
    addPortBinding(sb, PORT, 1);
    addPort(nb, PORT);
    await cluster.createVm();
    migration = await cluster.migrate('move');
    await migration.createTarget([PORT_GATE]);
    await writeFile(join(directory, 'kubeconfig'), cluster.kubeconfig);
    const settings = {
      OVN_NB_REMOTE: nb.remote,
      OVN_SB_REMOTE: sb.remote,
      KUBECONFIG: join(directory, 'kubeconfig'),
    };
    const started = STEPS.map(async (step) => {
      // func writes into the folder that it is pointed at.
      await cp(join(PROJECT, 'functions', step), join(directory, step), { recursive: true });
      return [step, await FunctionProcess.start({ ...settings, FUNC_STEP: step })] as const;
    });
    functions = Object.fromEntries(await Promise.all(started));
  });
  afterAll(async () => {
    const parts = [...Object.values(functions ?? {}), nb, sb, cluster];
    await Promise.all(parts.map((part) => part?.[Symbol.asyncDispose]()));
    await rm(directory, { recursive: true });
  });

  /**
   * Sends an event of ours by the real CLI to a function that runs here, as the function's own func.yaml says.
   * @returns the CloudEvent that it answers, as func shows it
   */
  async function invoke(step: string, data: unknown, type = 'dev.knative.apiserver.resource.update'): Promise<string> {
    const event = join(directory, `${step}.json`);
    await writeFile(event, JSON.stringify(data));
    const args = [
      ...['invoke', '--path', join(directory, step), '--target', functions[step]!.url, '--type', type],
      ...['--source', 'https://10.0.0.1:443', '--content-type', 'application/json', '--file', event],
    ];
    const { stdout } = await promisify(execFile)(binary('func'), args, { cwd: directory });
    return stdout;
  }

  test('takes a VM through a migration, event by event, and to its end', async () => {
    expect(await invoke('reuse-port', migration.vmim)).toContain('dev.ovn-handover.port.reused');
    await migration.schedule('worker-b');
    expect(await invoke('enable-dual-chassis', migration.vmim)).toContain('dev.ovn-handover.port.dual');
    await migration.handOff();
    await migration.switch();
    expect(await invoke('disable-dual-chassis', migration.vmim)).toContain('dev.ovn-handover.port.pinned');
    await migration.succeed('worker-b');

    nb.ctl('set', 'Logical_Switch_Port', PORT, 'options:requested-chassis=chassis-a');
    expect(await invoke('reconcile', {}, 'dev.knative.sources.ping')).toContain('dev.ovn-handover.reconciled');
    expect(mapOf(nb, PORT, 'options')).toMatchObject({ 'requested-chassis': 'chassis-b' });

    const vmi = cluster.vmi;
    await cluster.deleteVm();
    expect(await invoke('release-port', vmi, 'dev.knative.apiserver.resource.delete')).toContain('port.released');
    expect(mapOf(nb, PORT, 'options')).not.toHaveProperty('requested-chassis');
  });
});

describe.each([
  ['cloudevents', 'cloudevent', '{"message":"OK"}'],
  ['http', 'http', 'OK'],
])("func's own template %s for TypeScript, served by our server", (template, format, answer) => {
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
      expect(served.output).toContain('tiger');
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
