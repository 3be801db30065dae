/**
 * Our record on a logical switch port: which migration the port's binding belongs to. It is the only state that the
 * functions keep, and is written in the transaction that changes the binding. It lives in the column `options`: Kube-OVN
 * replaces `external_ids` whole at each update of a target pod. OVN passes over option keys that it does not know.
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

/** Every key of a record. */
export const RECORD_KEYS: readonly string[] = [...Object.values(KEYS), SINCE_KEY];

type Options = Readonly<Record<string, string>>;

/** The record in a port's options, or `undefined` where there is none that is whole. */
export function recordOf(options: Options): PortRecord | undefined {
  const vmi = options[KEYS.vmi];
  const migration = options[KEYS.migration];
  const binding = options[KEYS.binding];
  const source = options[KEYS.source];
  if (vmi === undefined || migration === undefined || source === undefined) return undefined;
  if (binding !== 'pinned' && binding !== 'dual') return undefined;
  return { vmi, migration, binding, source, target: options[KEYS.target] };
}

/** The options of a record whose binding holds since `since`. */
export function recordEntries(record: PortRecord, since: Date): Record<string, string> {
  const entries: Record<string, string> = { [SINCE_KEY]: since.toISOString() };
  for (const [field, key] of Object.entries(KEYS)) {
    const value = record[field as keyof PortRecord];
    if (value !== undefined) entries[key] = value;
  }
  return entries;
}

/** Whether a port's options say of its binding just what the record says; `undefined` stands for no key of a record. */
export function carriesRecord(options: Options, record: PortRecord | undefined): boolean {
  if (record === undefined) return !RECORD_KEYS.some((key) => key in options);
  const present = recordOf(options);
  return (
    present !== undefined && (Object.keys(KEYS) as (keyof PortRecord)[]).every((key) => present[key] === record[key])
  );
}
