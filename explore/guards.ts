import { registerHooks } from 'node:module';

interface Edit {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** Each guard of the hand-over as it stands in the source, and what the source is without it. */
const GUARDS: Readonly<Record<string, readonly Edit[]>> = {
  'row-read-first': [
    {
      file: 'handover.ts',
      from: '  const ports = await world.northbound.portsOf(vmi, hint?.ports);\n  const readAt = Date.now();\n  const facts = factsOf(await world.kubernetes.objectsOf(vmi));\n',
      to: '  const readAt = Date.now();\n  const facts = factsOf(await world.kubernetes.objectsOf(vmi));\n  const ports = await world.northbound.portsOf(vmi, hint?.ports);\n',
    },
  ],
  wait: [
    {
      file: 'northbound.ts',
      from: 'changes.flatMap(guardedChange)',
      to: "changes.flatMap(guardedChange).filter(({ op }) => op !== 'wait')",
    },
  ],
  'shelf-life': [{ file: 'handover.ts', from: 'Date.now() - readAt > SHELF_LIFE_MS', to: 'false' }],
  'uid-of-owner': [
    {
      file: 'facts.ts',
      from: '.filter((pod) => controllingVmi(pod)?.uid === vmi.metadata.uid)\n    .filter((pod) => pod.metadata.labels',
      to: '.filter((pod) => pod.metadata.labels',
    },
  ],
  'uid-of-migration': [
    {
      file: 'facts.ts',
      from: 'pod.metadata.labels?.[MIGRATION_UID_LABEL] === migration.metadata.uid',
      to: 'pod.metadata.labels?.[MIGRATION_UID_LABEL] !== undefined',
    },
  ],
  'uid-of-state': [
    { file: 'facts.ts', from: 'state?.migrationUid === migration.metadata.uid ? state', to: 'state ? state' },
  ],
  'uid-of-record': [{ file: 'desired.ts', from: 'if (record.vmi !== vmi.uid)', to: 'if (false)' }],
  'late-path': [
    { file: 'desired.ts', from: 'if (migration.switched && target?.node !== undefined)', to: 'if (false)' },
  ],
  'activated-gone': [
    { file: 'handover.ts', from: 'if (arming.length > 0) refuseIfActivated', to: 'if (false) refuseIfActivated' },
  ],
  'end-in-row': [
    {
      file: 'desired.ts',
      from: "record: { ...record, binding: 'pinned', target: vmi.node }",
      to: "record: { ...record, binding: 'pinned' }",
    },
  ],
  'end-read-last': [
    {
      file: 'kubernetes.ts',
      from: '    const migrations = await this.#api.listMigrations(vmi);\n    const instance = await this.#api.getVmi(vmi);\n',
      to: '    const instance = await this.#api.getVmi(vmi);\n    const migrations = await this.#api.listMigrations(vmi);\n',
    },
  ],
};

const GROUPS: Readonly<Record<string, readonly string[]>> = {
  'uid-checks': ['uid-of-owner', 'uid-of-migration', 'uid-of-state', 'uid-of-record'],
};

export const GUARD_NAMES: readonly string[] = [...Object.keys(GUARDS), ...Object.keys(GROUPS)];

/**
 * From here on, modules of the hand-over are loaded without a guard: the project's own source with that one place edited.
 * @throws Error where the source no longer has the place
 */
export function removeGuard(name: string): void {
  const edits = (GROUPS[name] ?? [name]).flatMap((one) => GUARDS[one] ?? []);
  if (edits.length === 0) throw new Error(`There is no guard "${name}"; there are ${GUARD_NAMES.join(', ')}.`);
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      let source = String(loaded.source);
      for (const { from, to } of edits.filter(({ file }) => url.endsWith(`/handover/${file}`))) {
        if (source.split(from).length !== 2)
          throw new Error(`${url} no longer has the guard ${name}: edit explore/guards.ts`);
        source = source.replace(from, to);
      }
      return url.includes('/handover/') ? { ...loaded, source } : loaded;
    },
  });
}
