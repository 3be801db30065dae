import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AHEAD_OF_THE_CONTROL_PLANE, hasEnded } from '../testbed/command.ts';
import type { Chassis } from '../testbed/description.ts';
import { guestAnswers, showsDamage } from './console.ts';
import { guestImage } from './image.ts';
import { QmpClient } from './qmp.ts';

export interface GuestOptions {
  /** Where it runs. */
  readonly chassis: Chassis;
  /** In the guest they are `eth0`, `eth1`, … */
  readonly interfaces: readonly {
    /** Tap in the chassis's namespace, made by `plug`. */
    readonly tap: string;
    readonly mac: string;
    /** IPv4 address in the /24 of its logical switch. */
    readonly ip: string;
  }[];
  /** Waits for a migrating guest at this address (QEMU's syntax, `tcp:HOST:PORT`) instead of booting. */
  readonly incoming?: string;
  /** Folder for its control socket, console and logs, its own; made if it is missing. */
  readonly directory: string;
}

/**
 * What a look at the guest from behind, not over its network, shows:
 * `running` (it answers on its console), `hung` (QEMU runs it, and it does not answer), `panicked` (its kernel says
 * that it is damaged), `paused`, `incoming` (waits for, or receives, a migration), `migrated` (left for another QEMU),
 * `gone` (QEMU has ended).
 */
export type GuestHealth = 'running' | 'hung' | 'panicked' | 'paused' | 'incoming' | 'migrated' | 'gone';

/** It boots in 3 s under TCG; this allows for a busy machine. */
const READY_WITHIN_MS = 60_000;

/** A guest in a QEMU of its own. */
export interface Guest {
  readonly qmp: QmpClient;
  /** QEMU's process id. */
  readonly pid: number;
  /** All that it has written to its console on this QEMU. */
  serial(): string;
  /** Resolves when it has booted and serves; for an incoming guest, when it runs here. */
  ready(): Promise<void>;
  health(): Promise<GuestHealth>;
  /** Ends QEMU at once; resolves when it is gone. */
  stop(): Promise<void>;
}

/**
 * Starts a QEMU with the guest; resolves when QEMU can be controlled, which is before the guest has booted.
 *
 * @throws Error with QEMU's own words when it ends at once.
 */
export async function startGuest(options: GuestOptions): Promise<Guest> {
  const { chassis, directory } = options;
  const image = await guestImage();
  await mkdir(directory, { recursive: true });
  const files = filesIn(directory);
  for (const file of Object.values(files)) await rm(file, { force: true });
  const command = ['nice', ...AHEAD_OF_THE_CONTROL_PLANE, 'qemu-system-x86_64', ...qemuArguments(options, image)];
  const qemu = spawn('ip', ['netns', 'exec', chassis.netns, ...command], { stdio: ['ignore', 'ignore', 'pipe'] });
  let complaint = '';
  qemu.stderr.on('data', (chunk) => {
    complaint += chunk;
  });
  const qmp = await connectQmp(files.qmp, qemu, () => complaint);
  return new QemuGuest(qemu, qmp, options);
}

/** Where a guest with this directory can be looked at from other processes. */
export function filesIn(directory: string) {
  return {
    qmp: join(directory, 'qmp.sock'),
    console: join(directory, 'console.sock'),
    serial: join(directory, 'serial.log'),
  };
}

function qemuArguments(options: GuestOptions, image: { kernel: string; initramfs: string }): string[] {
  const files = filesIn(options.directory);
  // Offloads are off because the userspace datapath computes no checksums and splits no segments. With any one of the
  // guest_* left, Linux would take 17 MB per interface for receive buffers of 64 KiB.
  const guestOffloads = 'guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ecn=off,guest_ufo=off';
  const offloads = `csum=off,gso=off,${guestOffloads},mrg_rxbuf=off`;
  const addresses = options.interfaces.map(({ ip }) => `${ip}/24`).join(',');
  return [
    ...['-nodefaults', '-nographic', '-no-reboot', '-accel', 'tcg', '-cpu', 'max', '-m', '96'],
    ...['-kernel', image.kernel, '-initrd', image.initramfs],
    ...['-append', `console=ttyS0 quiet panic=1 mitigations=off guest.addresses=${addresses}`],
    ...['-qmp', `unix:${files.qmp},server=on,wait=off`],
    ...['-chardev', `socket,id=console,path=${files.console},server=on,wait=off,logfile=${files.serial}`],
    ...['-serial', 'chardev:console'],
    ...options.interfaces.flatMap(({ tap, mac }, index) => [
      ...['-netdev', `tap,id=net${index},ifname=${tap},script=no,downscript=no`],
      ...['-device', `virtio-net-pci,netdev=net${index},mac=${mac},${offloads},romfile=`],
    ]),
    ...(options.incoming ? ['-incoming', options.incoming] : []),
  ];
}

async function connectQmp(path: string, qemu: ChildProcess, complaint: () => string): Promise<QmpClient> {
  for (;;) {
    try {
      return await QmpClient.connect(path);
    } catch (error) {
      if (hasEnded(qemu)) {
        throw new Error(`QEMU ended at once: ${complaint().trim() || `code ${qemu.exitCode}`}`, { cause: error });
      }
      await sleep(20);
    }
  }
}

class QemuGuest implements Guest {
  readonly qmp: QmpClient;
  readonly pid: number;
  readonly #process: ChildProcess;
  readonly #options: GuestOptions;

  constructor(process: ChildProcess, qmp: QmpClient, options: GuestOptions) {
    this.#process = process;
    this.#options = options;
    this.qmp = qmp;
    // `ip netns exec` becomes QEMU, so the child is QEMU itself.
    this.pid = process.pid!;
  }

  serial(): string {
    return readFileSync(filesIn(this.#options.directory).serial, 'utf8');
  }

  async ready(): Promise<void> {
    const isReady = this.#options.incoming
      ? async () => (await this.#status()) === 'running'
      : async () => this.serial().includes('GUEST-READY');
    for (const deadline = Date.now() + READY_WITHIN_MS; !(await isReady()); await sleep(50)) {
      if (!this.#isGone() && Date.now() < deadline) continue;
      const what = this.#isGone() ? 'ended before it was ready' : `is not ready after ${READY_WITHIN_MS / 1000} s`;
      throw new Error(`The guest on ${this.#options.chassis.node} ${what}; its console: ${this.serial().slice(-500)}`);
    }
  }

  async health(): Promise<GuestHealth> {
    if (showsDamage(this.serial())) return 'panicked';
    if (this.#isGone()) return 'gone';
    const status = await this.#status();
    if (status === 'inmigrate') return 'incoming';
    if (status === 'postmigrate') return 'migrated';
    if (status !== 'running') return status === 'gone' ? 'gone' : 'paused';
    return (await guestAnswers(filesIn(this.#options.directory).console)) ? 'running' : 'hung';
  }

  async stop(): Promise<void> {
    this.qmp.close();
    if (this.#isGone()) return;
    const exit = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exit;
  }

  /** QEMU's run state. */
  async #status(): Promise<string> {
    try {
      return (await this.qmp.execute<{ status: string }>('query-status')).status;
    } catch (error) {
      if (this.#isGone()) return 'gone';
      throw error;
    }
  }

  #isGone(): boolean {
    return hasEnded(this.#process);
  }
}
