import { join } from 'node:path';
import { run } from '../testbed/command.ts';
import type { Chassis } from '../testbed/description.ts';
import { addPort, unplug } from '../testbed/plug.ts';

/** A VM's place on one node, as far as only the network matters. */
export interface EndpointNetwork {
  readonly chassis: Chassis;
  readonly interfaces: readonly EndpointInterface[];
}

interface EndpointInterface {
  /** Its end in the chassis's namespace. */
  readonly tap: string;
  /** Name of the logical switch port. */
  readonly port: string;
  readonly mac: string;
  /** IPv4 address in the /24 of its logical switch. */
  readonly ip: string;
}

/**
 * What is sent when a guest arrives, as recorded of a real one (testkit/fixtures/kubevirt-1.9/rarp.txt), ms after the first:
 * QEMU's announce_self (initial 50 ms, step 100 ms, five rounds), and the guest's own driver once it runs.
 */
const ANNOUNCEMENTS: readonly { readonly ms: number; readonly by: 'QEMU' | 'guest' }[] = [
  { ms: 0, by: 'QEMU' },
  { ms: 41, by: 'QEMU' },
  { ms: 48, by: 'guest' },
  { ms: 140, by: 'guest' },
  { ms: 190, by: 'QEMU' },
  { ms: 331, by: 'guest' },
  { ms: 440, by: 'QEMU' },
  { ms: 626, by: 'guest' },
  { ms: 863, by: 'QEMU' },
  { ms: 1021, by: 'guest' },
];

/**
 * A network namespace with a VM's MAC and IP addresses in place of its guest. It answers pings while it runs, and does
 * not hear a thing before and after; what a guest is besides that it has not.
 */
export class Endpoint {
  readonly #network: EndpointNetwork;

  constructor(network: EndpointNetwork) {
    this.#network = network;
  }

  /** Makes it and puts its interfaces on `br-int`; it does not run yet. */
  static async plug({ chassis, interfaces }: EndpointNetwork): Promise<void> {
    const netns = namespaceOf({ chassis, interfaces });
    await Endpoint.unplug({ chassis, interfaces });
    await run('ip', ['netns', 'add', netns]);
    for (const [index, { tap, port, mac, ip }] of interfaces.entries()) {
      const device = `eth${index}`;
      const peer = ['peer', 'name', tap, 'netns', chassis.netns];
      await run('ip', ['link', 'add', device, 'netns', netns, 'address', mac, 'mtu', '1400', 'type', 'veth', ...peer]);
      await run('ip', ['-n', netns, 'address', 'add', `${ip}/24`, 'dev', device]);
      await run('ip', ['-n', chassis.netns, 'link', 'set', tap, 'up']);
      await addPort(chassis, tap, port);
    }
  }

  /** Takes it away; nothing happens if there is none. */
  static async unplug(network: EndpointNetwork): Promise<void> {
    for (const { tap } of network.interfaces) await unplug(network.chassis, tap);
    await run('ip', ['netns', 'delete', namespaceOf(network)]).catch((error: Error) => {
      if (!/No such file or directory/.test(error.message)) throw error;
    });
  }

  async run(): Promise<void> {
    await this.#setLinks('up');
  }

  async silence(): Promise<void> {
    await this.#setLinks('down');
  }

  /**
   * Sends RARP and ARP from each interface, at QEMU's times and the guest's; resolves after the first. The kernel sends none
   * by itself, so the switch is told to take each as if it came from the interface.
   */
  async announce(): Promise<void> {
    const { chassis, interfaces } = this.#network;
    const bridge = `unix:${join(chassis.directory, 'br-int.mgmt')}`;
    const ports = await Promise.all(
      interfaces.map(async (nic) => ({ ...nic, ofport: await this.#portNumber(nic.tap) })),
    );
    const announce = async (by: 'QEMU' | 'guest') => {
      for (const { ofport, mac, ip } of ports) {
        const packet = by === 'QEMU' ? rarp(mac) : gratuitousArp(mac, ip);
        await run('ovs-ofctl', ['packet-out', bridge, `in_port=${ofport},packet=${packet},actions=table`]);
      }
    };
    const [first, ...others] = ANNOUNCEMENTS;
    await announce(first!.by);
    // The guest may be gone, with its plug, before the last.
    for (const { ms, by } of others) setTimeout(() => announce(by).catch(() => {}), ms).unref();
  }

  async #portNumber(tap: string): Promise<string> {
    return run('ovs-vsctl', [`--db=${this.#network.chassis.ovsdb}`, '--timeout=10', 'get', 'Interface', tap, 'ofport']);
  }

  async #setLinks(state: 'up' | 'down'): Promise<void> {
    const netns = namespaceOf(this.#network);
    await Promise.all(
      this.#network.interfaces.map((_, index) => run('ip', ['-n', netns, 'link', 'set', `eth${index}`, state])),
    );
  }
}

/** Begins with the testbed's prefix, so that it goes with the testbed. */
function namespaceOf({ chassis, interfaces }: EndpointNetwork): string {
  return `${chassis.netns}-${interfaces[0]?.tap}`;
}

/** RFC 826 as Linux announces an address: a request for itself. */
function gratuitousArp(mac: string, ip: string): string {
  const own = mac.replaceAll(':', '');
  const address = ip
    .split('.')
    .map((byte) => Number(byte).toString(16).padStart(2, '0'))
    .join('');
  return `ffffffffffff${own}0806${'0001080006040001'}${own}${address}000000000000${address}`.padEnd(120, '0');
}

/** RFC 903 as QEMU's announce_self writes it: a reverse request for the sender itself, broadcast, without addresses of IP. */
function rarp(mac: string): string {
  const own = mac.replaceAll(':', '');
  const ethernet = `ffffffffffff${own}8035`;
  const request = '0001080006040003';
  return `${ethernet}${request}${own}00000000${own}00000000`.padEnd(120, '0');
}
