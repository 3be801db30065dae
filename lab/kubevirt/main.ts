import { readFile } from 'node:fs/promises';
import { Command, InvalidArgumentError } from 'commander';
import { type KubeVirt, startKubeVirt } from './kubevirt.ts';
import { openLog } from './log.ts';

interface Options {
  kubeconfig: string;
  testbed: string;
  pace: number;
  log?: string;
}

const command = new Command('kubevirt')
  .description("Stands in for KubeVirt on the lab's testbed: runs VMs as QEMU guests and migrates them.")
  .requiredOption('--kubeconfig <file>', 'how to reach the Kubernetes API')
  .requiredOption('--testbed <file>', 'testbed.json of a standing testbed')
  .option('--pace <ms>', "from a target pod's nodeName to the start of copying", milliseconds, 8000)
  .option('--log <file>', 'what happened, as JSON lines')
  .parse();

const kubevirt = await start(command.opts<Options>()).catch((error: Error) => command.error(error.message));
console.log('kubevirt is ready');

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => void kubevirt.close().then(() => process.exit(0)));
}

async function start({ kubeconfig, testbed, pace, log }: Options): Promise<KubeVirt> {
  return startKubeVirt({
    kubeconfig: await readFile(kubeconfig, 'utf8'),
    testbed: JSON.parse(await readFile(testbed, 'utf8')),
    paceMs: pace,
    log: openLog(log),
  });
}

function milliseconds(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new InvalidArgumentError('It has to be a number of milliseconds.');
  return value;
}
