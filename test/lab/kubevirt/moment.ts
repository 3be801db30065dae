import type { KubernetesObject } from '../../../lab/kubevirt/objects.ts';
import { isPod, isVmi, isVmim, type Write } from './lab.ts';

/**
 * What an object says of the course of a migration, in words that are the same for any VM: two objects with the same
 * words are at the same moment.
 */
export function moment(object: KubernetesObject, migration: { uid: string; source: string }): string {
  const where = (node: string | undefined) => node && (node === migration.source ? 'source' : 'target');
  const { labels = {}, annotations = {}, finalizers = [] } = object.metadata;
  const label = where(labels['kubevirt.io/nodeName']);
  const write = object as Write['object'];
  if (isVmim(write)) {
    const { phase, migrationState = {} } = write.status ?? {};
    return words('VMIM', phase, Object.keys(migrationState), finalizers.length > 0 && 'finalizer');
  }
  if (isVmi(write)) {
    const { nodeName, migrationState = {} } = write.status ?? {};
    const state = migrationState.migrationUid === migration.uid ? Object.keys(migrationState) : ['no state'];
    const towards = where(labels['kubevirt.io/migrationTargetNodeName']);
    return words('VMI on', where(nodeName), 'labelled', label, towards && `towards ${towards}`, state);
  }
  if (!isPod(write)) throw new Error(`No moment is known for a ${object.kind}.`);
  const isReady = 'kubevirt.io/migration-target-ready-timestamp' in annotations;
  const kind = labels['kubevirt.io/migrationJobUID'] === migration.uid ? 'target pod' : 'other pod';
  const on = where(write.spec.nodeName) ?? 'no node';
  return words(kind, write.status?.phase, 'on', on, 'labelled', label, isReady && 'ready');
}

function words(...all: (string | string[] | false | undefined)[]): string {
  const text = (word: string | string[] | false | undefined) =>
    Array.isArray(word) ? [...word].sort().join(' ') : word;
  return all.map(text).filter(Boolean).join(' ');
}
