import { run, runIn } from './command.ts';
import type { Chassis } from './description.ts';

/**
 * Frames that a tap keeps for a guest that does not read, as an incoming one that waits for its memory. Linux's 1,000
 * are a second and more of the client's traffic: where both chassis are open without a hold, the guest answers all of
 * that before anything new, for 100 ms, and what is measured is the age of the queue.
 */
const QUEUE_FRAMES = '50';

/**
 * Gives a VM's port its place on a chassis, as a CNI plug-in does: makes a tap in the chassis's namespace and puts it
 * on `br-int` under the name of the logical switch port. ovn-controller sees it from then on, and claims the port if
 * the port's binding allows it.
 */
export async function plug(chassis: Chassis, { tap, port }: { tap: string; port: string }): Promise<void> {
  await unplug(chassis, tap);
  await run('ip', ['-n', chassis.netns, 'tuntap', 'add', tap, 'mode', 'tap']);
  // The userspace datapath computes no checksums for what the kernel left to be done by hardware.
  await runIn(chassis.netns, 'ethtool', ['-K', tap, 'tx', 'off']);
  await run('ip', ['-n', chassis.netns, 'link', 'set', tap, 'txqueuelen', QUEUE_FRAMES, 'up']);
  await addPort(chassis, tap, port);
}

/** Takes a tap off `br-int` and deletes it; nothing happens if there is none. */
export async function unplug(chassis: Chassis, tap: string): Promise<void> {
  // Both at once: a tap made again under a port that stayed would never be picked up.
  await run('ovs-vsctl', [`--db=${chassis.ovsdb}`, '--timeout=10', '--if-exists', 'del-port', 'br-int', tap]);
  await run('ip', ['-n', chassis.netns, 'link', 'delete', tap]).catch((error: Error) => {
    if (!/Cannot find device/.test(error.message)) throw error;
  });
}

/** Puts an interface that is in the chassis's namespace on `br-int` as `port`. */
export async function addPort(chassis: Chassis, device: string, port: string): Promise<void> {
  await run('ovs-vsctl', [
    `--db=${chassis.ovsdb}`,
    '--timeout=10',
    ...['add-port', 'br-int', device],
    ...['--', 'set', 'Interface', device, `external_ids:iface-id=${port}`],
  ]);
}
