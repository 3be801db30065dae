/** One place in `handover/`. */
interface Edit {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

interface Guard {
  readonly prevents: string;
  /** Where `--guards` begins: this schedule broke an invariant without it. Another will, once code or model has changed. */
  readonly seed: number;
  readonly edits: readonly Edit[];
}

/** Each guard of the hand-over as it stands in the source, and what the source is without it. */
export const GUARDS: Readonly<Record<string, Guard>> = {
  'row-read-first': {
    prevents: 'an old decision overwrites a newer one, whose row it read after its facts',
    seed: 9355,
    edits: [
      {
        file: 'observe.ts',
        from: '  const known = northbound.known(vmi);\n',
        to: '  const objects = await kubernetes.objectsOf(vmi);\n  const facts = factsOf(objects, readAt);\n  const known = northbound.known(vmi);\n',
      },
      {
        file: 'observe.ts',
        from: '  const objects = await kubernetes.objectsOf(vmi);\n  const facts = factsOf(objects, readAt);\n  const target',
        to: '  const target',
      },
    ],
  },
  wait: {
    prevents: 'an old decision overwrites whatever was decided in between',
    seed: 207,
    edits: [
      {
        file: 'ovn/northbound.ts',
        from: 'await this.#database.transact([...operations, this.#database.comment(comment)]',
        to: 'await this.#database.transact([...operations.filter((_operation, index) => index % 2 === 1), this.#database.comment(comment)]',
      },
    ],
  },
  'record-in-options': {
    prevents: 'Kube-OVN wipes the record with every update of a target, and a right binding is begun anew',
    seed: 21,
    edits: [
      {
        file: 'ovn/northbound.ts',
        from: '[{ options: port.options }]',
        to: '[{ options: inOptions(port.options) }]',
      },
      {
        file: 'ovn/northbound.ts',
        from: "          ['options', 'insert', options],\n",
        to: "          ['options', 'insert', inOptions(options)],\n          ['external_ids', 'delete', OPTION_KEYS],\n          ['external_ids', 'insert', inIds(options)],\n",
      },
      {
        file: 'ovn/northbound.ts',
        from: '    options: Object.fromEntries(row.options),\n',
        to: '    options: { ...inIds(Object.fromEntries(row.external_ids)), ...Object.fromEntries(row.options) },\n',
      },
      {
        file: 'ovn/northbound.ts',
        from: "['options', 'includes', { [RECORD_BINDING_KEY]: binding }]",
        to: "['external_ids', 'includes', { [RECORD_BINDING_KEY]: binding }]",
      },
      {
        file: 'ovn/northbound.ts',
        from: 'function keyOf(',
        to: 'function inIds(all) {\n  return Object.fromEntries(Object.entries(all).filter(([key]) => key.startsWith("handover-")));\n}\n\nfunction inOptions(all) {\n  return Object.fromEntries(Object.entries(all).filter(([key]) => !key.startsWith("handover-")));\n}\n\nfunction keyOf(',
      },
    ],
  },
  'record-given-back': {
    prevents: 'a dual binding that is right, and lost its record, is taken off to be made anew',
    seed: 162,
    edits: [
      {
        file: 'decision/port.ts',
        from: '  if (present === requested) {\n',
        to: '  if (present === requested && carriesRecord(port.options, wanted.record)) {\n',
      },
    ],
  },
  'facts-age': {
    prevents: 'a function that was held up acts on what was true long before',
    seed: 110,
    edits: [{ file: 'decision/plan.ts', from: 'now - readAt > MAX_FACTS_AGE_MS', to: 'false' }],
  },
  'release-by-all': {
    prevents: 'what an end leaves waits for an event that has been, or for the next sweep',
    seed: 16967,
    edits: [{ file: 'decision/desired.ts', from: 'return isAnyones || name', to: 'return name' }],
  },
  'uid-of-owner': {
    prevents: "a tenant's pod with the labels of a target is taken for the target",
    seed: 17,
    edits: [
      {
        file: 'decision/facts.ts',
        from: '    .filter((pod) => controllingVmi(pod)?.uid === vmi.metadata.uid);\n  const migration',
        to: '    .filter(() => true);\n  const migration',
      },
    ],
  },
  'uid-of-migration': {
    prevents: 'a target pod that an earlier migration left behind is taken for the target',
    seed: 209,
    edits: [
      {
        file: 'decision/facts.ts',
        from: 'pod.metadata.labels?.[MIGRATION_UID_LABEL] === migration.metadata.uid',
        to: 'pod.metadata.labels?.[MIGRATION_UID_LABEL] !== undefined',
      },
    ],
  },
  'uid-of-state': {
    prevents: "the switch of an earlier migration is taken for this one's",
    seed: 13,
    edits: [
      {
        file: 'decision/facts.ts',
        from: 'state?.migrationUid === migration.metadata.uid ? state : undefined',
        to: 'state',
      },
    ],
  },
  'late-path': {
    prevents: 'a port stays dual after the switch, with the source as its main chassis',
    seed: 453,
    edits: [
      {
        file: 'decision/desired.ts',
        from: 'if (migration.switched && target?.node !== undefined)',
        to: 'if (false)',
      },
    ],
  },
  'armed-before-copying': {
    prevents: 'a port is armed after the switch, and waits for a RARP that never comes',
    seed: 46,
    edits: [{ file: 'decision/desired.ts', from: 'isArmed: !migration.copying', to: 'isArmed: true' }],
  },
  'activated-gone': {
    prevents: 'a target starts open, because northd remembers an earlier activation',
    seed: 650,
    edits: [
      {
        file: 'decision/plan.ts',
        from: '  const stillActivated = whyNotArmedYet(changes, southbound);\n',
        to: '  const stillActivated = undefined;\n',
      },
    ],
  },
  'ended-a-minute': {
    prevents: 'a port is released while the pod that its guest has left is plugged in, and its chassis takes it',
    seed: 13,
    edits: [
      {
        file: 'decision/facts.ts',
        from: 'return times.length > 0 && now - Math.max(...times) > UNPLUGGED_AFTER_MS;',
        to: 'return true;',
      },
    ],
  },
  'chassis-known': {
    prevents: 'a chassis that OVN does not know is written, and the target becomes main and open',
    seed: 5,
    edits: [
      {
        file: 'ovn/southbound.ts',
        from: '    const ambiguous = nodes',
        to: '    for (const node of nodes) if (byNode.get(node).length === 0) byNode.set(node, [{ uuid: "", name: "chassis-".concat(node), strategySupport: "rarp-only" }]);\n    const ambiguous = nodes',
      },
    ],
  },
  'chassis-of-this-cluster': {
    prevents: 'a chassis of another cluster counts, because its host has the same name',
    seed: 87,
    edits: [{ file: 'ovn/southbound.ts', from: 'rows.filter(isOurs)', to: 'rows.filter(() => true)' }],
  },
  'end-read-last': {
    prevents: 'a final migration is seen with the node of before, and the port goes back to the source',
    seed: 2786,
    edits: [
      {
        file: 'kubernetes/kubernetes.ts',
        from: '    const migrations = await this.#api.listMigrations(vmi, options);\n    const instance = await this.#api.getVmi(vmi);\n',
        to: '    const instance = await this.#api.getVmi(vmi);\n    const migrations = await this.#api.listMigrations(vmi, options);\n',
      },
    ],
  },
  'named-404': {
    prevents: 'a path that is not served for a while is taken for a VMI that is gone, and its ports are released',
    seed: 1436,
    edits: [
      {
        file: 'kubernetes/client.ts',
        from: 'if (status === 404 && isNamed(content, path.at(-1)!))',
        to: 'if (status === 404)',
      },
    ],
  },
  'second-gate': {
    prevents: 'a guest switches before enable-dual-chassis is awake, and is cut off until somebody says so',
    seed: 1,
    edits: [
      { file: 'decision/gates.ts', from: "'reuse-port': [PORT_GATE]", to: "'reuse-port': [PORT_GATE, DUAL_GATE]" },
    ],
  },
  'gate-not-outlived': {
    prevents: 'a target to which nothing is handed over waits at our gates for ever',
    seed: 47,
    edits: [
      {
        file: 'decision/gates.ts',
        from: '  return target ? [...strays, target] : strays;\n',
        to: '  return target ? [target] : [];\n',
      },
    ],
  },
  'told-at-commit': {
    prevents: 'what was committed is never told, because something failed after it',
    seed: 17,
    edits: [
      {
        file: 'reconcile.ts',
        from: '    await this.#committed(changes, observed);\n  }\n',
        to: '    this.told = [...(this.told ?? []), ...changes];\n  }\n',
      },
      {
        file: 'reconcile.ts',
        from: '      if (requeue === undefined) {\n',
        to: '      if (requeue === undefined) await this.#committed(this.told ?? [], observed);\n      if (requeue === undefined) {\n',
      },
    ],
  },
  'claim-asked-again': {
    prevents: 'a chassis that missed what it was handed over leaves the guest cut off until somebody writes the row',
    seed: 259,
    edits: [{ file: 'decision/plan.ts', from: "claim === 'missed' && ", to: 'false && ' }],
  },
};
