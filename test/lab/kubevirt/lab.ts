import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  PatchStrategy,
  setHeaderOptions,
  Watch,
} from '@kubernetes/client-node';
import { type KubernetesApi, startKubernetesApi } from '../../../lab/kubernetes-api/server.ts';
import { HOLD } from '../../../lab/kubevirt/labels.ts';
import { migration, virtualMachine } from '../../../lab/kubevirt/manifests.ts';
import type {
  Pod,
  VirtualMachine,
  VirtualMachineInstance as Vmi,
  VirtualMachineInstanceMigration as Vmim,
} from '../../../lab/kubevirt/objects.ts';
import { startTestbed, type Testbed } from '../../../lab/testbed/testbed.ts';

const namespace = 'prod';
const name = 'web-01';
const path = (file: string) => fileURLToPath(new URL(`../../../${file}`, import.meta.url));

const group = { group: 'kubevirt.io', version: 'v1', namespace };
/** What a {@link Lab} is like. */
export interface LabOptions {
  readonly paceMs: number;
  /** What runs as a VM. */
  readonly guest?: 'qemu' | 'endpoint';
}

const vms = { ...group, plural: 'virtualmachines' };
const vmis = { ...group, plural: 'virtualmachineinstances' };
const vmims = { ...group, plural: 'virtualmachineinstancemigrations' };

/** One write to the Kubernetes API as a watcher sees it. */
export interface Write {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: Pod | VirtualMachine | Vmi | Vmim;
}

/** A testbed, a Kubernetes API with the scheduling gate, and the stand-in as a process of its own. */
export class Lab {
  readonly testbed: Testbed;
  /** In the order of their resourceVersions, which the API counts over all kinds. */
  readonly writes: Write[] = [];
  readonly kubevirt: ChildProcess;
  readonly #directory: string;
  readonly #api: KubernetesApi;
  readonly #core: CoreV1Api;
  readonly #custom: CustomObjectsApi;
  readonly #watches: AbortController[] = [];
  #isStopped = false;

  private constructor(
    directory: string,
    testbed: Testbed,
    api: KubernetesApi,
    config: KubeConfig,
    { paceMs, guest = 'qemu' }: LabOptions,
  ) {
    this.#directory = directory;
    this.testbed = testbed;
    this.#api = api;
    this.#core = config.makeApiClient(CoreV1Api);
    this.#custom = config.makeApiClient(CustomObjectsApi);
    const files = ['--kubeconfig', join(directory, 'kubeconfig'), '--testbed', join(directory, 'testbed.json')];
    const log = ['--log', join(directory, 'kubevirt.log')];
    const command = [
      '--conditions=ovn-handover-source',
      path('lab/kubevirt/main.ts'),
      ...files,
      ...log,
      '--pace',
      `${paceMs}`,
      '--guest',
      guest,
    ];
    this.kubevirt = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] });
  }

  static async start(prefix: string, options: LabOptions): Promise<Lab> {
    const directory = await mkdtemp(join(tmpdir(), `${prefix}-`));
    const testbed = await startTestbed({ directory, prefix });
    const api = await startKubernetesApi({
      admission: [path('eventing/components/scheduling-gate/policy.yaml')],
      kubevirtWebhook: true,
    });
    await writeFile(join(directory, 'kubeconfig'), api.kubeconfig);
    const config = new KubeConfig();
    config.loadFromString(api.kubeconfig);
    const lab = new Lab(directory, testbed, api, config, options);
    await lab.#core.createNamespace({ body: { metadata: { name: namespace } } });
    for (const kind of ['/api/v1/pods', ...[vms, vmis, vmims].map(({ plural }) => `/apis/kubevirt.io/v1/${plural}`)]) {
      await lab.#watch(config, kind);
    }
    await once(createInterface({ input: lab.kubevirt.stdout! }), 'line');
    return lab;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.stopKubeVirt();
    for (const watch of this.#watches) watch.abort();
    await this.#api.close();
    await this.testbed.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** Gives the exit code. */
  async stopKubeVirt(): Promise<number | null> {
    if (this.kubevirt.exitCode === null && this.kubevirt.signalCode === null) {
      const exit = once(this.kubevirt, 'exit');
      this.kubevirt.kill('SIGTERM');
      await exit;
    }
    return this.kubevirt.exitCode;
  }

  /** Resolves when the guest has booted, and answers. */
  async createVm(annotations?: Record<string, string>): Promise<Vmi> {
    const from = this.writes.length;
    const [vm] = this.testbed.vms;
    const body = virtualMachine(annotations === undefined ? vm : { ...vm, annotations });
    await this.#custom.createNamespacedCustomObject({ ...vms, body });
    const isReady = ({ status }: Vmi) =>
      status?.phase === 'Running' && status.conditions?.some((each) => each.type === 'Ready' && each.status === 'True');
    const vmi = await this.until('the VMI is ready', ({ object }) => isVmi(object) && isReady(object) && object, from);
    const isVmReady = ({ status }: VirtualMachine) => status?.ready && status.printableStatus === 'Running';
    await this.until('the VM is ready', ({ object }) => isVm(object) && isVmReady(object), from);
    if (!this.guestAnswers()) throw new Error('The guest does not answer.');
    return vmi;
  }

  async deleteVm(): Promise<void> {
    await this.#custom.deleteNamespacedCustomObject({ ...vms, name });
  }

  async migrate(options: { targetNode?: string; annotations?: Record<string, string> } = {}): Promise<Vmim> {
    return this.#custom.createNamespacedCustomObject({
      ...vmims,
      body: migration({ vmiName: name, namespace, ...options }),
    });
  }

  async cancel({ metadata }: Vmim): Promise<void> {
    await this.#custom.deleteNamespacedCustomObject({ ...vmims, name: metadata.name });
  }

  /** The target pod in its first state. */
  async targetOf({ metadata: { uid } }: Vmim): Promise<Pod> {
    return this.until('the target pod is created', ({ object }) => isTargetOf(object, uid) && object);
  }

  /** Lets a migration go on from where it is held. */
  async go({ metadata }: Vmim): Promise<void> {
    const body = { metadata: { annotations: { [HOLD]: null } } };
    const options = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
    await this.#custom.patchNamespacedCustomObject({ ...vmims, name: metadata.name, body }, options);
  }

  /** Takes all gates off, as the functions do. */
  async openGate({ metadata }: Pod): Promise<void> {
    const body = [{ op: 'remove', path: '/spec/schedulingGates' }];
    const options = setHeaderOptions('Content-Type', PatchStrategy.JsonPatch);
    await this.#core.patchNamespacedPod({ name: metadata.name, namespace, body }, options);
  }

  async deletePod({ metadata }: Pod): Promise<void> {
    await this.#core.deleteNamespacedPod({ name: metadata.name, namespace });
  }

  async vmi(): Promise<Vmi> {
    return this.#custom.getNamespacedCustomObject({ ...vmis, name });
  }

  async pods(): Promise<Pod[]> {
    return (await this.#core.listNamespacedPod({ namespace })).items as unknown as Pod[];
  }

  async untilPhase({ metadata: { uid } }: Vmim, phase: string): Promise<Vmim> {
    return this.until(
      `the VMIM is ${phase}`,
      ({ object }) => isVmim(object) && object.metadata.uid === uid && object.status?.phase === phase && object,
    );
  }

  async untilGone({ metadata: { uid }, kind }: { metadata: { uid: string }; kind: string }): Promise<void> {
    await this.until(`the ${kind} is gone`, ({ type, object }) => type === 'DELETED' && object.metadata.uid === uid);
  }

  /** What `look` gives for the first write that it gives something for; waits if that has not come yet. */
  async until<T>(what: string, look: (write: Write) => T | undefined | false, from = 0): Promise<T> {
    for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(5)) {
      for (const write of this.writes.slice(from)) {
        const found = look(write);
        if (found !== undefined && found !== false) return found;
      }
    }
    const last = this.writes.slice(-5).map(({ type, object }) => `${type} ${JSON.stringify(object)}`);
    throw new Error(`It never came that ${what}. The last writes:\n${last.join('\n')}`);
  }

  /** Whether the guest answers a ping from the client within some seconds. */
  guestAnswers(): boolean {
    const { client, vms } = this.testbed;
    const [{ ip }] = vms[0].interfaces;
    // `-c 1 -w 20` goes on until the first answer, for 20 s at most.
    const ping = ['netns', 'exec', client.netns, 'ping', '-c', '1', '-i', '0.2', '-w', '20', ip];
    try {
      execFileSync('ip', ping);
      return true;
    } catch {
      return false;
    }
  }

  /** Process ids of the QEMUs in the chassis's namespaces. */
  qemus(): number[] {
    const pids = this.testbed.chassis.flatMap(({ netns }) => lines('ip', 'netns', 'pids', netns));
    return pids.filter((pid) => commandOf(pid).startsWith('qemu')).map(Number);
  }

  /** Names of the taps in the chassis's namespaces. */
  taps(): string[] {
    const links = this.testbed.chassis.flatMap(({ netns }) => lines('ip', '-netns', netns, '-brief', 'link'));
    return links.filter((line) => line.startsWith('tap'));
  }

  async log(): Promise<{ at: string; what: string; migration?: string; [detail: string]: unknown }[]> {
    const lines = await readFile(join(this.#directory, 'kubevirt.log'), 'utf8');
    return lines
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  }

  /** Goes on until the lab stops: client-node ends a watch that was silent for 30 s. */
  async #watch(config: KubeConfig, kind: string, after = '1'): Promise<void> {
    let last = after;
    const version = ({ object }: Write) => Number(object.metadata.resourceVersion);
    const seen = (type: Write['type'], object: Write['object']) => {
      this.writes.push({ type, object });
      this.writes.sort((a, b) => version(a) - version(b));
    };
    const write = (type: string, object: Write['object']) => {
      last = object.metadata.resourceVersion;
      seen(type as Write['type'], object);
    };
    const again = () => this.#isStopped || this.#watch(config, kind, last);
    this.#watches.push(await new Watch(config).watch(kind, { resourceVersion: after }, write, again));
  }
}

export function isVm(object: { kind: string }): object is VirtualMachine {
  return object.kind === 'VirtualMachine';
}

export function isVmi(object: { kind: string }): object is Vmi {
  return object.kind === 'VirtualMachineInstance';
}

export function isVmim(object: { kind: string }): object is Vmim {
  return object.kind === 'VirtualMachineInstanceMigration';
}

export function isPod(object: { kind: string }): object is Pod {
  return object.kind === 'Pod';
}

export function isTargetOf(object: Write['object'], migrationUid: string): object is Pod {
  const labels = object.metadata.labels ?? {};
  return (
    isPod(object) && labels['kubevirt.io'] === 'virt-launcher' && labels['kubevirt.io/migrationJobUID'] === migrationUid
  );
}

function lines(command: string, ...args: string[]): string[] {
  return execFileSync(command, args, { encoding: 'utf8' }).split('\n').filter(Boolean);
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8');
  } catch {
    return 'ended meanwhile';
  }
}
