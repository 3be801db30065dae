import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeVm, type TestbedDescription, type VmDescription } from '../testbed/description.ts';

/** One kubelet with its containerd, in namespaces of its own; its network is that of an OVN chassis. */
export interface ClusterNode {
  readonly name: string;
  readonly netns: string;
  /** On the network for migrations, which is the nodes' own: OVN's tunnels have another. */
  readonly address: string;
  /** Of its pods, but for those of VMs, which are OVN's. */
  readonly podSubnet: string;
  /** Of its data and its part of the file system. */
  readonly directory: string;
  /** Folder of its chassis's sockets. */
  readonly chassis: string;
  /** Below each of the machine's cgroup hierarchies. */
  readonly cgroup: string;
}

/** All that another process has to know of a cluster that stands; stored as `<directory>/cluster.json`. */
export interface ClusterDescription {
  readonly directory: string;
  /** Of the process that the cluster ends with. */
  readonly supervisor: number;
  readonly testbed: TestbedDescription;
  readonly nodes: readonly ClusterNode[];
  /** Of an administrator, for processes in the namespace {@link fabricOf}. */
  readonly kubeconfig: string;
  readonly logs: string;
}

export const DIRECTORY = fileURLToPath(new URL('../run/cluster', import.meta.url));
export const PREFIX = 'cluster';

/** How many VMs the logical switch has ports for. */
export const VMS = 20;
const NODES = ['node1', 'node2'];

/** The VMs that a cluster has ports for, whether they exist or not. */
export function vmsOfCluster(): [VmDescription, ...VmDescription[]] {
  const [first, ...others] = Array.from({ length: VMS }, (_, index) =>
    describeVm({ name: `web-${String(index + 1).padStart(2, '0')}`, index }),
  );
  return [first!, ...others];
}

/** Where a cluster's testbed has its sockets. */
export function ovnFolder(directory: string): string {
  return join(directory, 'ovn');
}

/** The namespace of the control plane. */
export function fabricOf({ prefix }: Pick<TestbedDescription, 'prefix'>): string {
  return `${prefix}-fabric`;
}

export function describeCluster(
  testbed: TestbedDescription,
  directory: string,
  supervisor: number,
): ClusterDescription {
  const nodes = NODES.map((name, index): ClusterNode => {
    const chassis = testbed.chassis.find(({ node }) => node === name)!;
    return {
      name,
      netns: chassis.netns,
      address: chassis.migrationAddress,
      podSubnet: `10.244.${index + 1}.0/24`,
      directory: join(directory, 'nodes', name),
      chassis: chassis.directory,
      cgroup: `${cgroupOf(testbed)}/${name}`,
    };
  });
  const file = (name: string) => join(directory, name);
  return { directory, supervisor, testbed, nodes, kubeconfig: file('pki/admin.kubeconfig'), logs: file('logs') };
}

/** What holds the cgroups of all nodes of a cluster. */
export function cgroupOf({ prefix }: Pick<TestbedDescription, 'prefix'>): string {
  return `ovn-handover-${prefix}`;
}

/** @throws Error when no cluster stands */
export async function readCluster(directory = DIRECTORY): Promise<ClusterDescription> {
  const file = join(directory, 'cluster.json');
  if (!existsSync(file)) throw new Error('no cluster stands; npm run cluster -- up starts one.');
  return JSON.parse(await readFile(file, 'utf8')) as ClusterDescription;
}
