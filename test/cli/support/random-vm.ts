import { fromWireMap, fromWireUuid, type Operation, type OvsdbClient, toWireSet, uuid } from 'ovsdb-client-ts';
import { DUAL_GATE, PORT_GATE } from '../../../handover/decision/kubevirt.ts';
import type { KubevirtVm, Migration } from '../../../testkit/kubevirt-vm.ts';
import type { Installed } from './installed.ts';

const NODES = [
  { node: 'worker-a', chassis: 'chassis-a' },
  { node: 'worker-b', chassis: 'chassis-b' },
] as const;

export function pick<Item>(items: readonly Item[]): Item {
  return items[Math.floor(Math.random() * items.length)]!;
}

function chance(part: number): boolean {
  return Math.random() < part;
}

/** A VM that migrates again and again, with OVN and Kube-OVN around it: each moment is one that may come next, by chance. */
export class RandomVm {
  readonly name: string;
  readonly port: string;
  readonly vm: KubevirtVm;
  readonly #installed: Installed;
  readonly #nb: OvsdbClient;
  readonly #sb: OvsdbClient;
  /** Names of what has happened. */
  readonly story: string[] = [];
  #migration: Migration | undefined;
  #count = 0;
  /** Where the guest is: index of a node. */
  #at = 0;
  #source: string;
  #stage: 'at rest' | 'asked' | 'has a target' | 'has a node' | 'copies' | 'has switched' | 'is over' = 'at rest';
  /** Left behind by the migration before, and its pod. */
  #leftPod: string | undefined;

  constructor(installed: Installed, nb: OvsdbClient, sb: OvsdbClient, port: string) {
    this.#installed = installed;
    this.#nb = nb;
    this.#sb = sb;
    this.vm = installed.cluster.vm;
    this.name = this.vm.name;
    this.port = port;
    this.#source = `virt-launcher-${this.name}-source`;
  }

  /** The object of the latest event about it. */
  get object(): object {
    return this.#migration?.vmim ?? this.vm.vmi;
  }

  /** All pods of the VM that hold gates, with their names. */
  async gates(): Promise<Readonly<Record<string, readonly string[]>>> {
    if (this.#migration?.target === undefined || this.#migration.target === '') return {};
    const pod = await this.#installed.cluster.pod(this.#migration.target).catch(() => undefined);
    return pod ? { [this.#migration.target]: (pod.spec?.schedulingGates ?? []).map(({ name }) => name) } : {};
  }

  /** Lets something happen. */
  async next(): Promise<void> {
    if (chance(0.12)) return await this.#strip();
    if (chance(0.3)) await this.#claim();
    await this.#happen(this.#stage);
  }

  async #happen(stage: string): Promise<void> {
    this.story.push(stage);
    const migration = this.#migration;
    if (stage === 'at rest') {
      this.#migration = await this.vm.migrate(`${this.name}-${++this.#count}`);
      this.#stage = 'asked';
    } else if (stage === 'asked') {
      if (chance(0.1)) return await this.#fail();
      await migration!.createTarget(pick([[PORT_GATE, DUAL_GATE], [PORT_GATE, DUAL_GATE], [PORT_GATE], []]));
      this.#stage = 'has a target';
    } else if (stage === 'has a target') {
      if (chance(0.1)) return await this.#fail();
      if (Object.values(await this.gates()).flat().length > 0) return;
      await migration!.schedule(NODES[1 - this.#at]!.node);
      this.#stage = 'has a node';
    } else if (stage === 'has a node') {
      if (chance(0.15)) return await this.#fail();
      // Of the migration before nothing is said any more once the next one is handed off.
      await this.vm.patch({ migrationState: null });
      await migration!.handOff();
      this.#stage = 'copies';
    } else if (stage === 'copies') {
      if (chance(0.15)) return await this.#fail();
      await migration!.switch();
      this.#stage = 'has switched';
    } else if (stage === 'has switched') {
      this.#at = 1 - this.#at;
      await migration!.succeed(NODES[this.#at]!.node);
      await this.vm.endPod(this.#source, 'Succeeded');
      this.#leftPod = this.#source;
      this.#source = migration!.target;
      this.#stage = 'is over';
    } else {
      if (this.#leftPod) await this.vm.deleteNow('pods', this.#leftPod);
      this.#leftPod = undefined;
      if (chance(0.6)) this.#stage = 'at rest';
    }
  }

  async #fail(): Promise<void> {
    this.story.push('fails');
    if (this.#migration!.target) {
      await this.#migration!.fail();
      this.#leftPod = this.#migration!.target;
    } else await this.#migration!.phase('Failed');
    this.#stage = 'is over';
  }

  /** As Kube-OVN does when a launcher pod is deleted. */
  async #strip(): Promise<void> {
    this.story.push('is stripped');
    await this.#transact(this.#nb, {
      op: 'mutate',
      table: 'Logical_Switch_Port',
      where: [['name', '==', this.port]],
      mutations: [['options', 'delete', toWireSet(['requested-chassis', 'activation-strategy'])]],
    });
  }

  /** As the ovn-controllers do: the chassis that the port is bound to claim it, or those where it is plugged in. */
  async #claim(): Promise<void> {
    const requested = (await this.options())['requested-chassis']?.split(',') ?? [NODES[this.#at]!.chassis];
    const [{ rows = [] } = {}] = await this.#sb.transact([
      { op: 'select', table: 'Chassis', where: [], columns: ['_uuid', 'name'] },
    ]);
    const byName = new Map(rows.map((row) => [row.name, uuid(fromWireUuid(row._uuid!))]));
    const [main, ...more] = requested.map((name) => byName.get(name)!);
    await this.#transact(this.#sb, {
      op: 'update',
      table: 'Port_Binding',
      where: [['logical_port', '==', this.port]],
      row: { chassis: main!, additional_chassis: toWireSet(more) },
    });
  }

  async options(): Promise<Readonly<Record<string, string>>> {
    const [{ rows = [] } = {}] = await this.#nb.transact([
      { op: 'select', table: 'Logical_Switch_Port', where: [['name', '==', this.port]], columns: ['options'] },
    ]);
    return Object.fromEntries(fromWireMap(rows[0]!.options!));
  }

  async #transact(client: OvsdbClient, operation: Operation): Promise<void> {
    await client.transact([operation]);
  }
}
