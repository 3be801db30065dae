import { readFile } from 'node:fs/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { GUEST_KINDS } from './guest-kinds.ts';
import { type KubeVirt, startKubeVirt } from './kubevirt.ts';
import { openLog } from './log.ts';
import { RECORDED_PACE_MS } from './pace.ts';

interface Options {
  kubeconfig: string;
  testbed: string;
  guest: keyof typeof GUEST_KINDS;
  pace: number;
  log?: string;
}

const command = new Command('kubevirt')
  .description("Stands in for KubeVirt on the lab's testbed: runs VMs and migrates them.")
  .requiredOption('--kubeconfig <file>', 'how to reach the Kubernetes API')
  .requiredOption('--testbed <file>', 'testbed.json of a standing testbed')
  .addOption(
    new Option('--guest <kind>', 'what runs as a VM: a Linux guest in QEMU, or a network namespace in place of one')
      .choices(Object.keys(GUEST_KINDS))
      .default('qemu'),
  )
  .option('--pace <ms>', "from a target pod's nodeName to the switch", milliseconds, RECORDED_PACE_MS)
  .option('--log <file>', 'what happened, as JSON lines')
  .parse();

const kubevirt = await start(command.opts<Options>()).catch((error: Error) => command.error(error.message));
console.log('kubevirt is ready');

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => void kubevirt.close().then(() => process.exit(0)));
}

async function start({ kubeconfig, testbed, guest, pace, log }: Options): Promise<KubeVirt> {
  return startKubeVirt({
    kubeconfig: await readFile(kubeconfig, 'utf8'),
    testbed: JSON.parse(await readFile(testbed, 'utf8')),
    guest,
    paceMs: pace,
    log: openLog(log),
  });
}

function milliseconds(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new InvalidArgumentError('It has to be a number of milliseconds.');
  return value;
}
