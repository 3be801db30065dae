import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../kubevirt/cluster.ts';
import { MIGRATION_JOB_UID } from '../kubevirt/labels.ts';
import type { VirtualMachineInstanceMigration } from '../kubevirt/objects.ts';
import { run } from '../testbed/command.ts';
import type { TestbedDescription } from '../testbed/description.ts';
import type { Mode } from './result.ts';

/** Writes the port's binding by hand: what the hand-over is compared with. */
export class Baseline {
  readonly #testbed: TestbedDescription;

  constructor(testbed: TestbedDescription) {
    this.#testbed = testbed;
  }

  /** Binds the port to the chassis of these nodes, all of them open. */
  async bind(...nodes: readonly string[]): Promise<void> {
    const names = nodes.map((node) => this.#testbed.chassis.find((chassis) => chassis.node === node)?.name);
    const { northbound, guest } = this.#testbed;
    await run('ovn-nbctl', [
      `--db=${northbound}`,
      'lsp-set-options',
      guest.port,
      `requested-chassis=${names.join(',')}`,
    ]);
  }

  /** Makes the port as it was before any migration: bound to nothing, with no record of ours. */
  async reset(): Promise<void> {
    const { northbound, guest } = this.#testbed;
    const keys = ['vmi', 'migration', 'binding', 'source', 'target', 'since'].map((key) => `handover-${key}`);
    const port = ['Logical_Switch_Port', guest.port];
    await run('ovn-nbctl', [
      `--db=${northbound}`,
      ...['clear', ...port, 'options'],
      ...keys.flatMap((key) => ['--', '--if-exists', 'remove', ...port, 'external_ids', key]),
    ]);
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
}
