import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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

/** What QEMU sends when a guest arrives: announce_self's initial 50 ms, step 100 ms, five rounds; ms after the first. */
const ANNOUNCEMENTS_MS = [0, 50, 200, 450, 800];

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
   * Sends a RARP from each interface, at QEMU's times; resolves after the first. The kernel sends none by itself, so the
   * switch is told to take each as if it came from the interface.
   */
  async announce(): Promise<void> {
    const { chassis, interfaces } = this.#network;
    const bridge = `unix:${join(chassis.directory, 'br-int.mgmt')}`;
    const packets = await Promise.all(
      interfaces.map(
        async ({ tap, mac }) => `in_port=${await this.#portNumber(tap)},packet=${rarp(mac)},actions=table`,
      ),
    );
    const announce = async () => {
      for (const packet of packets) await run('ovs-ofctl', ['packet-out', bridge, packet]);
    };
    const [first, ...others] = ANNOUNCEMENTS_MS;
    await sleep(first);
    await announce();
    // The guest may be gone, with its plug, before the last.
    for (const ms of others) setTimeout(() => announce().catch(() => {}), ms).unref();
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

/** RFC 903 as QEMU's announce_self writes it: a reverse request for the sender itself, broadcast, without addresses of IP. */
function rarp(mac: string): string {
  const own = mac.replaceAll(':', '');
  const ethernet = `ffffffffffff${own}8035`;
  const request = '0001080006040003';
  return `${ethernet}${request}${own}00000000${own}00000000`.padEnd(120, '0');
}
