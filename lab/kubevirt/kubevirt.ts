import { KubeConfig } from '@kubernetes/client-node';
import type { TestbedDescription } from '../testbed/description.ts';
import { Cluster } from './cluster.ts';
import type { Context } from './context.ts';
import { GUEST_KINDS } from './guest-kinds.ts';
import { controlPorts } from './kube-ovn/controller.ts';
import { runPods } from './kubelet.ts';
import { Lives } from './lives.ts';
import type { Log } from './log.ts';
import { paceOf } from './pace.ts';
import { schedule } from './scheduler.ts';
import { controlMigrations } from './virt-controller/migration.ts';
import { controlVms } from './virt-controller/vm.ts';
import { controlVmis } from './virt-controller/vmi.ts';
import { handleVmis } from './virt-handler/virt-handler.ts';
import { Launchers } from './virt-launcher.ts';

export interface KubeVirtOptions {
  /** YAML */
  readonly kubeconfig: string;
  readonly testbed: TestbedDescription;
  /** What runs in the launchers. */
  readonly guest: keyof typeof GUEST_KINDS;
  /** From a target pod's nodeName to the switch, ms; a guest in QEMU takes its own time to copy. */
  readonly paceMs: number;
  readonly log: Log;
}

export interface KubeVirt {
  /** Ends all guests, takes their taps away, and stops watching. */
  close(): Promise<void>;
}

/**
 * Starts KubeVirt's parts, and those of the scheduler, the kubelet and the CNI plug-in that it needs. They know of each
 * other only by what is in the Kubernetes API, so that each could be the real one.
 */
export async function startKubeVirt({ kubeconfig, testbed, guest, paceMs, log }: KubeVirtOptions): Promise<KubeVirt> {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  const stop = new AbortController();
  const cluster = new Cluster(config);
  const { signal } = stop;
  const lives = new Lives(cluster, log, signal);
  const guests = GUEST_KINDS[guest];
  const launchers = new Launchers(testbed, guests);
  const context: Context = { cluster, testbed, guests, launchers, lives, pace: paceOf(paceMs, cluster), log, signal };
  await cluster.start();
  await runPods(context);
  await controlPorts(context);
  handleVmis(context);
  controlVms(context);
  controlVmis(context);
  controlMigrations(context);
  lives.start('scheduler', () => schedule(cluster, signal));
  return {
    async close() {
      stop.abort();
      await lives.ended();
      await cluster.stop();
    },
  };
}
