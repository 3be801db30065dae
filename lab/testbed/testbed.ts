import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCentral } from './central.ts';
import { startChassis } from './chassis.ts';
import { cleanUp } from './cleanup.ts';
import { run } from './command.ts';
import { type Chassis, describeVm, type TestbedDescription } from './description.ts';
import { hold } from './holder.ts';
import { describeClient, makeLogicalSwitches, networkIsUp, startClient } from './network.ts';
import { fetchSuite, type OvnSuite } from './ovn-suite.ts';
import { Reaper } from './reaper.ts';

export interface TestbedOptions {
  /** Folder of the testbed's sockets, logs and `testbed.json`; made if it is missing. */
  readonly directory: string;
  /** First part of the name of each of its network namespaces; testbeds side by side differ in it. */
  readonly prefix: string;
  /** The VMs that it has ports for; by default `web-01` in `prod` with one interface. */
  readonly vms?: TestbedDescription['vms'];
  /** How many nodes, 3 at least; the client is on the third. */
  readonly nodes?: number;
  /** Whose OVN it runs; by default the machine's own. */
  readonly ovn?: OvnSuite;
  /** The testbed stands until `stopTestbed`, and does not end with this process. */
  readonly keep?: boolean;
  /** What `npm run` is given to end it if it is kept; by default the lab's own. */
  readonly down?: string;
  /** Told of each step, in words for a person. */
  readonly onProgress?: (step: string) => void;
}

/** A standing testbed. */
export interface Testbed extends TestbedDescription {
  /** Ends all its processes, those that others started in its namespaces too; resolves when nothing is left. */
  stop(): Promise<void>;
}

/** A path of a unix socket has at most 107 bytes; the longest of ours adds this many to the directory. */
const LONGEST_SOCKET = '/node1/ovn-controller.4194304.ctl'.length;

/**
 * Starts OVN's central and its chassis with geneve between them, a client on the third, and logical switches
 * with the ports of the client and the VMs. Resolves when the client's ports are up on all of them. Until `stop()`, or
 * this process's end in whatever way, the machine holds namespaces with the prefix; afterwards nothing.
 *
 * @throws HeldError when a testbed with the prefix stands already
 * @throws Error when the directory's path is too long, or a step fails
 */
export async function startTestbed(options: TestbedOptions): Promise<Testbed> {
  const {
    prefix,
    vms = [describeVm()],
    nodes = 3,
    ovn = 'bookworm',
    onProgress = () => {},
    down = 'lab -- down',
  } = options;
  const directory = resolve(options.directory);
  if (Buffer.byteLength(directory) + LONGEST_SOCKET > 107) {
    throw new Error(`The testbed's directory ${directory} has too long a path for unix sockets; take a shorter one.`);
  }
  await fetchSuite(ovn, onProgress);
  await hold(prefix, directory, down);
  const description = describe({ directory, prefix, ovn, vms }, nodes);
  const reaper = new Reaper({ directory, prefix });
  try {
    await build(description, onProgress);
    if (options.keep) await reaper.dismiss();
  } catch (error) {
    await reaper.reap();
    throw error;
  }
  return { ...description, stop: () => (options.keep ? cleanUp({ directory, prefix }) : reaper.reap()) };
}

/** Reads the description of the testbed that stands in `directory`. */
export async function readTestbed(directory: string): Promise<TestbedDescription> {
  const file = join(resolve(directory), 'testbed.json');
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new Error(`No testbed stands in ${resolve(directory)}: there is no testbed.json.`, { cause: error });
  });
  return JSON.parse(text) as TestbedDescription;
}

function describe(
  wanted: Pick<TestbedDescription, 'directory' | 'prefix' | 'ovn' | 'vms'>,
  nodes: number,
): TestbedDescription {
  const { directory, prefix, vms } = wanted;
  const chassis = (index: number): Chassis => ({
    node: `node${index}`,
    name: `chassis-${index}`,
    netns: `${prefix}-node${index}`,
    ovsdb: `unix:${join(directory, `node${index}`, 'db.sock')}`,
    address: `10.250.0.${10 + index}`,
    migrationAddress: `10.251.0.${10 + index}`,
    directory: join(directory, `node${index}`),
  });
  return {
    ...wanted,
    northbound: `unix:${join(directory, 'nb.sock')}`,
    southbound: `unix:${join(directory, 'sb.sock')}`,
    chassis: Array.from({ length: nodes }, (_, index) => chassis(index + 1)),
    client: describeClient(`${prefix}-client`, vms),
  };
}

async function build(testbed: TestbedDescription, onProgress: (step: string) => void): Promise<void> {
  const { directory, ovn, northbound, chassis, client, vms } = testbed;
  const fabric = `${testbed.prefix}-fabric`;
  for (const folder of ['central', ...chassis.map(({ node }) => node)]) {
    await rm(join(directory, folder), { recursive: true, force: true });
  }
  await mkdir(directory, { recursive: true });
  onProgress('starting the fabric, the OVN databases and northd');
  await startCentral({ directory, netns: fabric, ovn });
  onProgress(`starting ${chassis.length} chassis: ${chassis.map(({ node, name }) => `${name} (${node})`).join(', ')}`);
  await Promise.all([
    makeLogicalSwitches(northbound, vms, client),
    ...chassis.map((one) => startChassis(one, fabric, ovn)),
  ]);
  onProgress(`starting the client on ${chassis[2]!.node}`);
  await startClient(client, chassis[2]!);
  onProgress('waiting for tunnels and ports');
  await Promise.all(chassis.map((one) => tunnelsAreUp(one, chassis.length - 1)));
  await networkIsUp(northbound, client);
  await writeFile(join(directory, 'testbed.json'), `${JSON.stringify(testbed, undefined, 2)}\n`);
}

/** A chassis makes a tunnel to every other that has registered in the southbound database. */
async function tunnelsAreUp(chassis: Chassis, expected: number): Promise<void> {
  const find = ['--bare', '--columns=name', 'find', 'Interface', 'type=geneve', 'link_state=up'];
  const deadline = Date.now() + 25_000;
  for (let up = 0; up < expected; ) {
    if (Date.now() > deadline) {
      throw new Error(`${chassis.node} has ${up} of ${expected} tunnels up; see ${chassis.directory}/*.log.`);
    }
    await sleep(50);
    const names = await run('ovs-vsctl', [`--db=${chassis.ovsdb}`, '--timeout=10', ...find]);
    up = names.split('\n').filter(Boolean).length;
  }
}
