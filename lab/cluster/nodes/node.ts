import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { run, runIn } from '../../testbed/command.ts';
import { API_ADDRESS, POD_SUBNET } from '../addresses.ts';
import { binary } from '../binaries.ts';
import type { Tree } from '../build/tree.ts';
import type { ClusterDescription, ClusterNode } from '../description.ts';
import { KeptRunning } from '../kept-running.ts';
import { inCgroups, makeCgroups } from './cgroups.ts';
import { firstProcessFile, importImages, inNode, runInNode } from './enter.ts';
import { nodeFiles } from './files.ts';
import type { NodeSystem } from './init.ts';

const INIT = fileURLToPath(new URL('init.ts', import.meta.url));
const CONTAINERD_WITHIN_MS = 60_000;

export interface NodeParts {
  readonly tree: Tree;
  /** Folder of CNI plug-ins. */
  readonly networkPlugins: string;
  /** Archives of the images that its pods may have. */
  readonly images: readonly string[];
}

/**
 * A system in namespaces and cgroups of its own, with containerd, kube-proxy and kubelet. All its processes end with its
 * first one, which the kernel ends with us.
 */
export class Node {
  readonly #node: ClusterNode;
  readonly #cluster: ClusterDescription;
  readonly #services: KeptRunning[] = [];
  #process: ChildProcess | undefined;

  constructor(node: ClusterNode, cluster: ClusterDescription) {
    this.#node = node;
    this.#cluster = cluster;
  }

  /** Resolves when its kubelet has been started. */
  async start({ tree, networkPlugins, images }: NodeParts): Promise<void> {
    const { directory, cgroup, name, address } = this.#node;
    await this.#joinNodesNetwork();
    await makeCgroups(cgroup);
    const [containerd, kubelet] = [join(directory, 'containerd'), join(directory, 'kubelet')];
    for (const folder of [containerd, kubelet]) await mkdir(folder, { recursive: true });
    await this.#startSystem({
      name,
      layers: tree.layers,
      directory,
      binds: {
        // Not on the overlay of the node's root, which containerd's own overlays could not lie on.
        [containerd]: '/var/lib/containerd',
        [kubelet]: '/var/lib/kubelet',
        [join(binary('kubelet'), '..')]: '/opt/lab/bin',
        [process.execPath]: '/opt/lab/node',
        [networkPlugins]: '/opt/cni/bin',
        [this.#node.chassis]: '/run/chassis',
        ...Object.fromEntries(images.map((archive, index) => [archive, imagePlace(index)])),
      },
      files: await nodeFiles(this.#node, this.#cluster),
    });
    await this.#keep('containerd', ['--config', '/etc/containerd.toml']);
    await this.#containerdAnswers();
    await this.#keep('kube-proxy', kubeProxyFlags(this.#node));
    for (const index of images.keys()) await importImages(this.#node, imagePlace(index), this.#cluster.logs);
    await this.#keep('kubelet', [
      '--config=/etc/kubernetes/kubelet.yaml',
      '--kubeconfig=/etc/kubernetes/kubelet.kubeconfig',
      `--hostname-override=${name}`,
      `--node-ip=${address}`,
    ]);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#services.splice(0).map((service) => service.stop()));
    if (this.#process === undefined || this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exit = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exit;
  }

  async #joinNodesNetwork(): Promise<void> {
    const { netns, name } = this.#node;
    await runIn(netns, 'sysctl', ['-qw', 'net.ipv4.ip_forward=1', 'net.ipv4.conf.all.rp_filter=0']);
    await run('ip', ['-n', netns, 'route', 'add', 'default', 'via', API_ADDRESS]);
    for (const other of this.#cluster.nodes.filter((one) => one.name !== name)) {
      await run('ip', ['-n', netns, 'route', 'add', other.podSubnet, 'via', other.address]);
    }
  }

  async #startSystem(system: NodeSystem): Promise<void> {
    const { netns, cgroup, name } = this.#node;
    const log = await open(join(this.#cluster.logs, `${name}.log`), 'a');
    const namespaces = ['--cgroup', '--mount', '--uts', '--ipc', '--pid', '--fork', '--kill-child'];
    const init = [process.execPath, '--no-warnings', INIT, JSON.stringify(system)];
    const inNetwork = ['ip', 'netns', 'exec', netns, 'unshare', ...namespaces, '--propagation', 'private', ...init];
    // Its cgroups first: `ip netns exec` mounts a /sys without them.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...inCgroups(cgroup, inNetwork)], {
      stdio: ['ignore', 'pipe', log.fd],
    });
    await log.close();
    this.#process = child;
    const ready = once(child.stdout!, 'data').then(() => true);
    if (!(await Promise.race([ready, once(child, 'exit').then(() => false)]))) {
      throw new Error(`${name} has ended before it was a system of its own; see ${this.#cluster.logs}/${name}.log.`);
    }
    // What setpriv became, in turn, is `unshare`, whose only child is the system's first process.
    const children = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
    await writeFile(firstProcessFile(this.#node), children.trim());
  }

  async #keep(program: string, flags: readonly string[]): Promise<void> {
    const { name } = this.#node;
    const [file, ...args] = await inNode(this.#node, [`/opt/lab/bin/${program}`, ...flags]);
    const log = join(this.#cluster.logs, `${name}-${program}.log`);
    this.#services.push(new KeptRunning({ file, args, env: process.env }, log));
  }

  async #containerdAnswers(): Promise<void> {
    for (const giveUpAt = Date.now() + CONTAINERD_WITHIN_MS; ; await sleep(200)) {
      const answer = await runInNode(this.#node, ['/opt/lab/bin/ctr', 'version']).catch((error: Error) => error);
      if (typeof answer === 'string') return;
      if (Date.now() > giveUpAt) throw new Error(`containerd of ${this.#node.name} does not answer: ${answer.message}`);
    }
  }
}

function imagePlace(index: number): string {
  return `/opt/lab/images/${index}.tar`;
}

function kubeProxyFlags({ name, address }: ClusterNode): string[] {
  return [
    '--proxy-mode=nftables',
    '--kubeconfig=/etc/kubernetes/kube-proxy.kubeconfig',
    `--cluster-cidr=${POD_SUBNET}`,
    `--hostname-override=${name}`,
    `--nodeport-addresses=${address}/32`,
    // These are the machine's, and no namespace may change them.
    '--conntrack-max-per-core=0',
    '--conntrack-tcp-timeout-established=0s',
    '--conntrack-tcp-timeout-close-wait=0s',
  ];
}
