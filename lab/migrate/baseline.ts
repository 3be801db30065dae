import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../kubevirt/cluster.ts';
import { MIGRATION_JOB_UID } from '../kubevirt/labels.ts';
import type { VirtualMachineInstanceMigration } from '../kubevirt/objects.ts';
import { run } from '../testbed/command.ts';
import type { TestbedDescription, VmDescription } from '../testbed/description.ts';
import type { Mode } from './result.ts';

/** Writes the binding of a VM's ports by hand: what the hand-over is compared with. */
export class Baseline {
  readonly #testbed: TestbedDescription;
  readonly #ports: readonly string[];

  constructor(testbed: TestbedDescription, vm: VmDescription = testbed.vms[0]) {
    this.#testbed = testbed;
    this.#ports = vm.interfaces.map(({ port }) => port);
  }

  /** Binds the ports to the chassis of these nodes, all of them open. */
  async bind(...nodes: readonly string[]): Promise<void> {
    const names = nodes.map((node) => this.#testbed.chassis.find((chassis) => chassis.node === node)?.name);
    const bound = `requested-chassis=${names.join(',')}`;
    await this.#nbctl((port) => ['lsp-set-options', port, bound]);
  }

  /** Makes the ports as they were before any migration: bound to nothing, with no record of ours. */
  async reset(): Promise<void> {
    await this.#nbctl((port) => ['clear', 'Logical_Switch_Port', port, 'options']);
  }

  /**
   * Switches as `mode` says: `floor` opens both chassis as soon as the target is known, so that what remains is the
   * guest's own blackout; `single` moves the port when the migration is reported done, as late as events are.
   */
  async follow(
    mode: Exclude<Mode, 'handover'>,
    migration: VirtualMachineInstanceMigration,
    {
      cluster,
      from,
      to,
      eventDelayMs,
      signal,
    }: {
      cluster: Cluster;
      from: string;
      to: string;
      eventDelayMs: number;
      signal: AbortSignal;
    },
  ): Promise<void> {
    const { uid } = migration.metadata;
    if (mode === 'floor') {
      await cluster.until(
        () => cluster.pods.all().some((pod) => pod.metadata.labels?.[MIGRATION_JOB_UID] === uid && pod.spec.nodeName),
        signal,
      );
      await this.bind(from, to);
    }
    const phase = () => cluster.vmims.latest(migration)?.status?.phase;
    await cluster.until(() => phase() === 'Succeeded' || phase() === 'Failed', signal);
    if (mode === 'single') await sleep(eventDelayMs, undefined, { signal });
    await this.bind(phase() === 'Succeeded' ? to : from);
  }
  /** One transaction over all ports. */
  async #nbctl(command: (port: string) => string[]): Promise<void> {
    const commands = this.#ports.flatMap((port) => ['--', ...command(port)]);
    await run('ovn-nbctl', [`--db=${this.#testbed.northbound}`, ...commands]);
  }
}
