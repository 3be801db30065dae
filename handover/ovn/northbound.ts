import {
  fromWireMap,
  fromWireSet,
  fromWireUuid,
  type Operation,
  OutcomeUnknownError,
  type OvsdbClient,
  TransactionError,
  toWireMap,
  toWireSet,
  uuid,
  type WireCondition,
  type WireRow,
} from 'ovsdb-client-ts';
import { LookAgainError, TryAgainError } from '../decision/errors.ts';
import type { VmiReference } from '../decision/kubevirt.ts';
import { OPTION_KEYS, type Port, type PortChange } from '../decision/port.ts';
import type { Profile } from '../decision/profile.ts';
import { RECORD_BINDING_KEY, RECORD_KEYS } from '../decision/record.ts';
import { Memory } from './bounded-map.ts';

const TABLE = 'Logical_Switch_Port';
const COLUMNS = ['_uuid', 'name', 'addresses', 'dynamic_addresses', 'options', 'external_ids'];
const TIMEOUT_MS = 5_000;
/** How long a warm function relies on the uuids that it found: a VM may get another interface. */
const UUIDS_LAST_MS = 60_000;

/** The ports of VMs in OVN_Northbound. Nothing is monitored, or kept but row uuids, which are verified at each use. */
export class Northbound {
  readonly #client: OvsdbClient;
  readonly #profile: Profile;
  readonly #uuids = new Memory<{ readonly uuids: readonly string[]; readonly until: number }>();

  constructor(client: OvsdbClient, profile: Profile) {
    this.#client = client;
    this.#profile = profile;
  }

  /**
   * All ports of a VM, by name. By uuid where they are known, for a search makes the server scan the whole table.
   * @param hint uuids from elsewhere; rows that are not this VM's make it search
   */
  async portsOf(vmi: VmiReference, hint: readonly string[] = []): Promise<readonly Port[]> {
    const known = this.#recall(vmi) ?? hint;
    if (known.length > 0) {
      const ports = await this.#select(known.map((id) => ['_uuid', '==', uuid(id)]));
      if (ports.length === known.length && ports.every((port) => this.#profile.owns(port, vmi))) return ports;
    }
    const ports = await this.#select([this.#profile.condition(vmi)]);
    const uuids = ports.map((port) => port.uuid);
    this.#uuids.remember(keyOf(vmi), { uuids, until: Date.now() + UUIDS_LAST_MS });
    return ports;
  }

  /**
   * Every port with our record, by VM. The one search that looks at all ports of the database, so for sweeps alone.
   */
  async recordedPorts(): Promise<readonly { readonly vmi: VmiReference; readonly uuids: readonly string[] }[]> {
    const bindings = ['pinned', 'dual'] as const;
    const ports = await this.#select(
      bindings.map((binding) => ['external_ids', 'includes', toWireMap({ [RECORD_BINDING_KEY]: binding })]),
    );
    const byVmi = new Map<string, { readonly vmi: VmiReference; readonly uuids: string[] }>();
    for (const port of ports) {
      const vmi = this.#profile.ownerOf(port);
      if (vmi === undefined) continue;
      const entry = byVmi.get(keyOf(vmi)) ?? { vmi, uuids: [] };
      entry.uuids.push(port.uuid);
      byVmi.set(keyOf(vmi), entry);
    }
    return [...byVmi.values()];
  }

  /**
   * Writes the changes in one transaction that commits only if every row still is as it was read.
   * @param comment one line for OVN's transaction log
   * @throws LookAgainError if a row was changed in between, or if it is not known whether the transaction committed
   */
  async commit(changes: readonly PortChange[], comment: string): Promise<void> {
    try {
      await this.#client.transact([...changes.flatMap(guardedChange), { op: 'comment', comment }], {
        timeoutMs: TIMEOUT_MS,
      });
    } catch (error) {
      if (error instanceof TransactionError && error.guardFailed) {
        throw new LookAgainError('a port was changed in between', { cause: error });
      }
      if (error instanceof OutcomeUnknownError) {
        throw new LookAgainError('OVN northbound did not say whether it committed', { cause: error });
      }
      throw awayError(error);
    }
  }

  async #select(conditions: readonly WireCondition[]): Promise<readonly Port[]> {
    const operations = conditions.map(
      (where): Operation => ({ op: 'select', table: TABLE, where: [where], columns: COLUMNS }),
    );
    const results = await this.#client.transact(operations, { timeoutMs: TIMEOUT_MS }).catch((error) => {
      throw awayError(error);
    });
    return results
      .flatMap((result) => result.rows ?? [])
      .map(portOf)
      .sort((a, b) => a.name.localeCompare(b.name));
  }

  #recall(vmi: VmiReference): readonly string[] | undefined {
    const entry = this.#uuids.recall(keyOf(vmi));
    return entry && entry.until > Date.now() ? entry.uuids : undefined;
  }
}

/**
 * The operations of one change. Maps are changed by `mutate`, key by key: replacing a map would undo what others
 * wrote, and as a map insert never overwrites (RFC 7047, 5.1 `<mutator>`), what is ours is deleted first.
 */
function guardedChange({ port, options, externalIds }: PortChange): Operation[] {
  const where: WireCondition[] = [['_uuid', '==', uuid(port.uuid)]];
  return [
    {
      op: 'wait',
      timeout: 0,
      table: TABLE,
      where,
      columns: ['options', 'external_ids'],
      until: '==',
      rows: [{ options: toWireMap(port.options), external_ids: toWireMap(port.externalIds) }],
    },
    {
      op: 'mutate',
      table: TABLE,
      where,
      mutations: [
        ['options', 'delete', toWireSet(OPTION_KEYS)],
        ['options', 'insert', toWireMap(options)],
        ['external_ids', 'delete', toWireSet(RECORD_KEYS)],
        ['external_ids', 'insert', toWireMap(externalIds)],
      ],
    },
  ];
}

function portOf(row: WireRow): Port {
  return {
    uuid: fromWireUuid(row._uuid!),
    name: String(row.name),
    // Where OVN chooses the addresses itself, it says so here and writes them there (ovn-nb(5), dynamic_addresses).
    addresses: fromWireSet(row.addresses!).flatMap((address) =>
      address.split(' ').includes('dynamic') ? fromWireSet(row.dynamic_addresses!) : [address],
    ),
    options: Object.fromEntries(fromWireMap(row.options!)),
    externalIds: Object.fromEntries(fromWireMap(row.external_ids!)),
  };
}

function keyOf({ namespace, name }: VmiReference): string {
  return `${namespace}/${name}`;
}

function awayError(error: unknown): TryAgainError {
  return new TryAgainError(`OVN northbound: ${(error as Error).message}`, { cause: error });
}
