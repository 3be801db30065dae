// CNI plug-in (CNI specification 1.0.0) for the pods of VMs: parameters in the environment, network configuration on stdin,
// result on stdout.
import { appendFileSync } from 'node:fs';
import { json } from 'node:stream/consumers';
import { portOf } from './identity.ts';
import { plug, unplug } from './plug.ts';

const VERSION = '1.0.0';
/** CNI specification, section 4: codes from 100 on are the plug-in's own. */
const FAILED = 100;
const LOG = '/var/log/lab-ovn.log';

interface Configuration {
  /** How long a migration's target waits for the annotation that names its port. */
  readonly identityWithinMs?: number;
}

const { CNI_COMMAND, CNI_CONTAINERID = '', CNI_NETNS = '', CNI_IFNAME = 'eth0', CNI_ARGS = '' } = process.env;
const parameters = new Map(CNI_ARGS.split(';').map((pair) => pair.split('=') as [string, string]));
const pod = { namespace: parameters.get('K8S_POD_NAMESPACE') ?? '', name: parameters.get('K8S_POD_NAME') ?? '' };
// An interface has a name of at most 15 characters.
const device = `vm${CNI_CONTAINERID.slice(0, 12)}`;

try {
  const configuration = (await json(process.stdin)) as Configuration;
  const result = await answer(configuration);
  if (result) console.log(JSON.stringify(result));
} catch (error) {
  const { message } = error as Error;
  log(`failed: ${message}`);
  console.log(JSON.stringify({ cniVersion: VERSION, code: FAILED, msg: message }));
  process.exitCode = 1;
}

async function answer({ identityWithinMs = 0 }: Configuration): Promise<object | undefined> {
  switch (CNI_COMMAND) {
    case 'ADD': {
      const { source, ...port } = await portOf(pod, identityWithinMs);
      log(`has port ${port.ifaceId} (${port.mac} ${port.ip}) by its ${source}`);
      const plugged = await plug(port, { netns: CNI_NETNS, name: CNI_IFNAME, device });
      log(`is plugged in as ${device}`);
      return { cniVersion: VERSION, ...plugged };
    }
    case 'DEL':
      await unplug(device);
      log(`is unplugged from ${device}`);
      return undefined;
    case 'VERSION':
      return { cniVersion: VERSION, supportedVersions: ['0.4.0', VERSION] };
    default:
      return undefined;
  }
}

function log(what: string): void {
  appendFileSync(LOG, `${new Date().toISOString()} ${CNI_COMMAND} ${pod.namespace}/${pod.name} ${what}\n`);
}
