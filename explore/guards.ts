/** One place in `handover/`. */
interface Edit {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

interface Guard {
  readonly prevents: string;
  /** Where `--guards` begins: this schedule broke a promise without it. Another will, once code or model has changed. */
  readonly seed: number;
  readonly edits: readonly Edit[];
}

/** Each guard of the hand-over as it stands in the source, and what the source is without it. */
export const GUARDS: Readonly<Record<string, Guard>> = {
  'row-read-first': {
    prevents: 'an old decision overwrites a newer one, whose row it read after its facts',
    seed: 4364,
    edits: [
      {
        file: 'handover.ts',
        from: '  const ports = await world.northbound.portsOf(vmi, hint?.ports ?? recorded);\n  const readAt = Date.now();\n  const facts = factsOf(await world.kubernetes.objectsOf(vmi));\n',
        to: '  const readAt = Date.now();\n  const facts = factsOf(await world.kubernetes.objectsOf(vmi));\n  const ports = await world.northbound.portsOf(vmi, hint?.ports ?? recorded);\n',
      },
    ],
  },
  wait: {
    prevents: 'an old decision overwrites whatever was decided in between',
    seed: 6613,
    edits: [
      {
        file: 'northbound.ts',
        from: 'changes.flatMap(guardedChange)',
        to: "changes.flatMap(guardedChange).filter(({ op }) => op !== 'wait')",
      },
    ],
  },
  'shelf-life': {
    prevents: 'a function that was held up acts on what was true long before',
    seed: 4334,
    edits: [{ file: 'handover.ts', from: 'Date.now() - readAt > SHELF_LIFE_MS', to: 'false' }],
  },
  'migration-in-row': {
    prevents: 'a port is armed for a migration whose end nobody could show in the row, for that did not tell of it',
    seed: 26532,
    edits: [
      {
        file: 'desired.ts',
        from: "ownRecord === undefined || (ownRecord.binding === 'dual' && !dualAlready)",
        to: "record?.binding === 'dual' && !dualAlready",
      },
    ],
  },
  'release-by-all': {
    prevents: 'a VM that was deleted while its port got its first record leaves that to the VM that starts anew',
    seed: 232500,
    edits: [{ file: 'handover.ts', from: " || step === 'release-port'", to: '' }],
  },
  'look-after-first': {
    prevents: 'the same, where no event comes after the record',
    seed: 293602,
    edits: [{ file: 'handover.ts', from: 'changes.some(isFirst)', to: 'false' }],
  },
  'uid-of-owner': {
    prevents: "a tenant's pod with the labels of a target is taken for the target",
    seed: 17,
    edits: [
      {
        file: 'facts.ts',
        from: '.filter((pod) => controllingVmi(pod)?.uid === vmi.metadata.uid)\n    .filter((pod) => pod.metadata.labels',
        to: '.filter((pod) => pod.metadata.labels',
      },
    ],
  },
  'uid-of-migration': {
    prevents: 'a target pod that an earlier migration left behind is taken for the target',
    seed: 3514,
    edits: [
      {
        file: 'facts.ts',
        from: 'pod.metadata.labels?.[MIGRATION_UID_LABEL] === migration.metadata.uid',
        to: 'pod.metadata.labels?.[MIGRATION_UID_LABEL] !== undefined',
      },
    ],
  },
  'uid-of-state': {
    prevents: "the switch of an earlier migration is taken for this one's",
    seed: 3,
    edits: [{ file: 'facts.ts', from: 'state?.migrationUid === migration.metadata.uid ? state', to: 'state ? state' }],
  },
  'uid-of-record': {
    prevents: 'a VM that starts anew stays bound by the record of the one before',
    seed: 553,
    edits: [{ file: 'desired.ts', from: 'if (record.vmi !== vmi.uid)', to: 'if (false)' }],
  },
  'late-path': {
    prevents: 'a port is armed after the switch, and waits for a RARP that never comes',
    seed: 2775,
    edits: [{ file: 'desired.ts', from: 'if (migration.switched && target?.node !== undefined)', to: 'if (false)' }],
  },
  'activated-gone': {
    prevents: 'a target starts open, because northd remembers an earlier activation',
    seed: 624,
    edits: [{ file: 'handover.ts', from: '  refuseIfActivated(bindings);\n', to: '' }],
  },
  'end-in-row': {
    prevents: 'an arming that was held up commits after its migration has failed',
    seed: 22250,
    edits: [
      {
        file: 'desired.ts',
        from: "record: { ...record, binding: 'pinned', target: vmi.node }",
        to: "record: { ...record, binding: 'pinned' }",
      },
    ],
  },
  'chassis-known': {
    prevents: 'a chassis that OVN does not know is written, and the target becomes main and open',
    seed: 26,
    edits: [
      {
        file: 'southbound.ts',
        from: '  if (names.size === 1 && row !== undefined) return row;\n',
        to: '  return row ?? { name: "chassis-".concat(node), other_config: ["map", []] };\n',
      },
    ],
  },
  'end-read-last': {
    prevents: 'a final migration is seen with the node of before, and the port goes back to the source',
    seed: 4424,
    edits: [
      {
        file: 'kubernetes.ts',
        from: '    const migrations = await this.#api.listMigrations(vmi);\n    const instance = await this.#api.getVmi(vmi);\n',
        to: '    const instance = await this.#api.getVmi(vmi);\n    const migrations = await this.#api.listMigrations(vmi);\n',
      },
    ],
  },
};
