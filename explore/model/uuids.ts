const uuids = new Map<string, string>();

/** The same uuid for the same row, in every schedule. */
export function uuidOf(table: 'port' | 'binding' | 'chassis' | 'datapath', name: string): string {
  const key = `${table} ${name}`;
  const id = uuids.get(key) ?? `00000000-0000-4000-8000-${String(uuids.size).padStart(12, '0')}`;
  uuids.set(key, id);
  return id;
}
