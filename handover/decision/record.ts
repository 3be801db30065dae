/**
 * Our record on a logical switch port: which migration the port's binding belongs to. It is the only state
 * that the functions keep, and is written in the transaction that changes the binding.
 */
export interface PortRecord {
  readonly vmi: string;
  readonly migration: string;
  readonly binding: 'pinned' | 'dual';
  /** Kubernetes node names. */
  readonly source: string;
  readonly target: string | undefined;
}

const KEYS = {
  vmi: 'handover-vmi',
  migration: 'handover-migration',
  binding: 'handover-binding',
  source: 'handover-source',
  target: 'handover-target',
} as const;

/** Its value is `pinned` or `dual`: the one key of a record that can be searched for. */
export const RECORD_BINDING_KEY = KEYS.binding;

export const SINCE_KEY = 'handover-since';

/** Every external_ids key that is ours; no other is ever written or deleted. */
export const RECORD_KEYS: readonly string[] = [...Object.values(KEYS), SINCE_KEY];

/** The record in a port's external_ids, or `undefined` where there is none that is whole. */
export function recordOf(externalIds: Readonly<Record<string, string>>): PortRecord | undefined {
  const vmi = externalIds[KEYS.vmi];
  const migration = externalIds[KEYS.migration];
  const binding = externalIds[KEYS.binding];
  const source = externalIds[KEYS.source];
  if (vmi === undefined || migration === undefined || source === undefined) return undefined;
  if (binding !== 'pinned' && binding !== 'dual') return undefined;
  return { vmi, migration, binding, source, target: externalIds[KEYS.target] };
}

/** The external_ids entries of a record whose binding holds since `since`. */
export function recordEntries(record: PortRecord, since: Date): Record<string, string> {
  const entries: Record<string, string> = { [SINCE_KEY]: since.toISOString() };
  for (const [field, key] of Object.entries(KEYS)) {
    const value = record[field as keyof PortRecord];
    if (value !== undefined) entries[key] = value;
  }
  return entries;
}

export function sameRecord(a: PortRecord | undefined, b: PortRecord | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (Object.keys(KEYS) as (keyof PortRecord)[]).every((field) => a[field] === b[field]);
}
