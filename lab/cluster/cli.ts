import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError, Option } from 'commander';
import { OVN_SUITES, type OvnSuite } from '../testbed/ovn-suite.ts';
import { binary } from './binaries.ts';
import { CACHE } from './build/cached.ts';
import { buildParts } from './build/parts.ts';
import { type ClusterDescription, DIRECTORY, fabricOf, readCluster, VMS } from './description.ts';
import { migrateCommand } from './migrate/command.ts';
import { inFabric } from './migrate/in-fabric.ts';
import { inNode } from './nodes/enter.ts';
import { Recording } from './record.ts';
import { requireMachine } from './requirements.ts';
import { status } from './status.ts';
import { isStanding, Supervisor, takeDown } from './up.ts';

interface UpOptions {
  readonly vms: number;
  readonly knative: boolean;
  readonly ovn: OvnSuite;
  readonly foreground: boolean;
}

const OUT = fileURLToPath(new URL('../out', import.meta.url));
const began = Date.now();
const program = new Command('cluster')
  .description('A real cluster on this machine: Kubernetes with two nodes, KubeVirt, OVN, and a VM to migrate.')
  .enablePositionalOptions();

program
  .command('build')
  .description('build and fetch all that a cluster is made of')
  .action(async () => {
    await requireMachine();
    await buildParts(progress, { knative: true });
  });

program
  .command('up')
  .description('build what is not built yet, start the cluster, and wait until the guest of its VM answers')
  .option('--vms <n>', `how many VMs, web-01 and so on (1 to ${VMS})`, vmCount, 1)
  .addOption(new Option('--ovn <suite>', 'Debian suite whose OVN runs').choices(OVN_SUITES).default('bookworm'))
  .option('--no-knative', 'without Knative and the functions')
  .option('--foreground', 'end the cluster with this command, however that ends', false)
  .action(up);

program
  .command('down')
  .description('end the cluster, and whatever is left of one')
  .action(async () => {
    await takeDown();
    console.log('The cluster is gone.');
  });

program
  .command('status')
  .description('what stands, and how it is')
  .action(async () => console.log(await status(await readCluster())));

passThrough('kubectl', "Kubernetes' client", ({ testbed, kubeconfig }) => [
  ...inNetwork(fabricOf(testbed)),
  ...[binary('kubectl'), `--kubeconfig=${kubeconfig}`],
]);
passThrough('virtctl', "KubeVirt's client", ({ testbed, kubeconfig }) => [
  ...inNetwork(fabricOf(testbed)),
  ...[join(CACHE, 'kubevirt/virtctl'), `--kubeconfig=${kubeconfig}`],
]);
passThrough('ovn-nbctl', "OVN's northbound database", ({ testbed }) => ['ovn-nbctl', `--db=${testbed.northbound}`]);
passThrough('ovn-sbctl', "OVN's southbound database", ({ testbed }) => ['ovn-sbctl', `--db=${testbed.southbound}`]);
passThrough('client', 'a command beside the client, which is on the network of the VMs', ({ testbed }) =>
  inNetwork(testbed.client.netns),
);

program
  .command('node')
  .description('run a command on a node')
  .argument('<name>', 'node1 or node2')
  .argument('<command...>')
  .passThroughOptions()
  .action(async (name: string, command: string[]) => {
    const node = (await readCluster()).nodes.find((one) => one.name === name);
    if (node === undefined) throw new Error(`there is no node ${name}.`);
    await becomes(await inNode(node, command));
  });

program.addCommand(migrateCommand(progress));

program
  .command('record')
  .description("write every change of KubeVirt's objects to lab/out/NAME.jsonl until Ctrl-C")
  .argument('<name>')
  .action(
    inFabric(async (name: string) => {
      const file = join(OUT, `${name}.jsonl`);
      const recording = await Recording.start(await readCluster(), file);
      progress(`recording to ${file}`);
      await new Promise((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve));
      await recording.stop();
    }),
  );

program
  .command('logs')
  .description('what a part has said; without a name, which parts there are')
  .argument('[part]')
  .argument('[tail options...]', "for tail, e.g. -f; by default '-n 100'")
  .passThroughOptions()
  .action(async (part: string | undefined, options: string[]) => {
    const { logs } = await readCluster().catch(() => ({ logs: join(DIRECTORY, 'logs') }));
    const parts = (await readdir(logs).catch(() => [])).map((file) => file.replace(/\.log$/, ''));
    if (part === undefined) console.log(parts.sort().join('\n'));
    else if (!parts.includes(part)) throw new Error(`no part is named ${part}; these are: ${parts.sort().join(', ')}`);
    else await becomes(['tail', ...(options.length > 0 ? options : ['-n', '100']), join(logs, `${part}.log`)]);
  });

try {
  await program.parseAsync();
} catch (error) {
  console.error(`cluster: ${(error as Error).message}`);
  process.exitCode = 1;
}

async function up({ vms, knative, ovn, foreground }: UpOptions): Promise<void> {
  await requireMachine();
  if (await isStanding()) throw new Error("a cluster stands already; 'npm run cluster -- down' ends it.");
  const parts = await buildParts(progress, { knative });
  const supervisor = await Supervisor.start({ directory: DIRECTORY, parts, vms, knative, ovn }, progress);
  const interrupted = (signal: NodeJS.Signals) => {
    progress(`${signal}, ending the cluster`);
    void supervisor.stop().finally(() => process.exit(130));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, interrupted);
  try {
    await supervisor.ready;
  } catch (error) {
    progress('ending the cluster');
    await supervisor.stop();
    throw error;
  }
  progress('the cluster stands');
  console.log('Try: npm run cluster -- status');
  if (foreground) await supervisor.ended();
  else await supervisor.stay();
}

function passThrough(name: string, what: string, command: (cluster: ClusterDescription) => string[]): void {
  program
    .command(name)
    .description(what)
    .argument('[arguments...]')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (args: string[]) => becomes([...command(await readCluster()), ...args]));
}

function inNetwork(netns: string): string[] {
  return ['ip', 'netns', 'exec', netns];
}

async function becomes([file, ...args]: readonly string[]): Promise<void> {
  const [code] = await once(spawn(file!, args, { stdio: 'inherit' }), 'exit');
  process.exitCode = code ?? 1;
}

function progress(step: string): void {
  console.log(`${((Date.now() - began) / 1000).toFixed(1).padStart(7)} s  ${step}`);
}

function vmCount(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > VMS) throw new InvalidArgumentError(`must be 1 to ${VMS}.`);
  return value;
}
