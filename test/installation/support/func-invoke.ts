import { execFile } from 'node:child_process';
import { chmod, cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from '@jest/globals';
import { PORT_GATE } from '../../../handover/decision/kubevirt.ts';
import { binary } from '../../../lab/cluster/binaries.ts';
import { freePort } from '../../../lab/free-port.ts';
import { Cluster } from '../../../testkit/cluster.ts';
import { FunctionProcess } from '../../../testkit/function-process.ts';
import { addChassis, addPort, addPortBinding, mapOf, OvnDatabase } from '../../../testkit/ovn.ts';

const FUNCTIONS = join(import.meta.dirname, '../../../functions');
const PORT = 'web-01.prod';

export const STEPS = ['reuse-port', 'enable-dual-chassis', 'disable-dual-chassis', 'release-port', 'reconcile'];

/**
 * Takes a VM through a migration and to its end by the real `func invoke`, each function once.
 * @param command what starts a function in the place of what was built
 */
export async function invokeThroughMigration(command?: readonly [string, ...string[]]): Promise<void> {
  await using parts = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'handover-func-'));
  parts.defer(() => rm(directory, { recursive: true }));
  // Whoever a function runs as.
  await chmod(directory, 0o755);
  const [nb, NB] = await database('nb');
  parts.use(nb);
  const [sb, SB] = await database('sb');
  parts.use(sb);
  const cluster = parts.use(await Cluster.start());
  addChassis(sb, 'chassis-a', 'worker-a', '10.0.0.1');
  addChassis(sb, 'chassis-b', 'worker-b', '10.0.0.2');
  addPortBinding(sb, PORT, 1);
  addPort(nb, PORT);
  await cluster.createVm();
  const migration = await cluster.migrate('move');
  await migration.createTarget([PORT_GATE]);
  await writeFile(join(directory, 'kubeconfig'), cluster.kubeconfig);
  const settings = { OVN_NB_REMOTE: NB, OVN_SB_REMOTE: SB, KUBECONFIG: join(directory, 'kubeconfig') };

  /** @returns the CloudEvent that the function answers, as func shows it */
  async function invoke(step: string, data: unknown, type = 'dev.knative.apiserver.resource.update'): Promise<string> {
    await using serving = await FunctionProcess.start({ ...settings, FUNC_STEP: step }, command);
    const [folder, event] = [join(directory, step), join(directory, `${step}.json`)];
    // func writes into the folder that it is pointed at.
    await cp(join(FUNCTIONS, step), folder, { recursive: true });
    await writeFile(event, JSON.stringify(data));
    const args = [
      ...['invoke', '--path', folder, '--target', serving.url, '--type', type],
      ...['--source', 'https://10.0.0.1:443', '--content-type', 'application/json', '--file', event],
    ];
    const { stdout } = await promisify(execFile)(binary('func'), args, { cwd: directory });
    expect(serving.stderr).toBe('');
    return stdout;
  }

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
}

/** @returns the database, and OVN's syntax for it by TCP */
async function database(which: 'nb' | 'sb'): Promise<[OvnDatabase, string]> {
  const port = await freePort();
  return [await OvnDatabase.start(which, [`--remote=ptcp:${port}:127.0.0.1`]), `tcp:127.0.0.1:${port}`];
}
