import { type Condition, type MigrationState, timestamp } from '../objects.ts';

/** What KubeVirt's cluster configuration holds by default. */
const CONFIGURATION = {
  allowAutoConverge: false,
  allowPostCopy: false,
  allowWorkloadDisruption: false,
  bandwidthPerMigration: '0',
  completionTimeoutPerGiB: 150,
  maxDowntimeMs: 900,
  nodeDrainTaintKey: 'kubevirt.io/drain',
  parallelMigrationsPerCluster: 5,
  parallelOutboundMigrationsPerNode: 2,
  progressTimeout: 150,
  unsafeMigrationOverride: false,
  utilityVolumesTimeout: 150,
};

/** What a VMI is told of a migration at hand-off, beside who and where. */
export const HAND_OFF: MigrationState = { migrationConfiguration: CONFIGURATION, targetMemoryOverhead: '236Mi' };

export function abortRequested(): Condition {
  return { type: 'migrationAbortRequested', status: 'True', lastProbeTime: timestamp(), lastTransitionTime: null };
}

export function withCondition(
  conditions: readonly Condition[],
  added: Condition | undefined,
): { conditions?: Condition[] } {
  const isThere = conditions.some(({ type }) => type === added?.type);
  const all = added === undefined || isThere ? [...conditions] : [...conditions, added];
  return all.length > 0 ? { conditions: all } : {};
}
