import {
  OutcomeUnknownError as NoAnswerError,
  type OvsdbClient,
  TransactionError,
  type TypedDatabase,
  type Uuid,
} from 'ovsdb-client-ts';
import { type LogicalSwitchPort, type OVNNorthbound, schema } from 'ovsdb-client-ts/ovn-nb';
import { LookAgainError, OutcomeUnknownError, TryAgainError } from '../decision/errors.ts';
import type { VmiReference } from '../decision/kubevirt.ts';
import { OPTION_KEYS, type Port, type PortChange } from '../decision/port.ts';
import type { PortCondition, Profile } from '../decision/profile.ts';
import { RECORD_BINDING_KEY } from '../decision/record.ts';
import { BoundedMap } from './bounded-map.ts';

const TABLE = 'Logical_Switch_Port';
const COLUMNS = ['_uuid', 'name', 'addresses', 'dynamic_addresses', 'options', 'external_ids'] as const;
const TIMEOUT_MS = 5_000;
/** How long a warm function relies, while nothing migrates, on the uuids that it found. */
const UUIDS_LAST_MS = 60_000;

/** Where a VM's ports were found. */
export interface KnownPorts {
  readonly uuids: readonly string[];
  /** The migration during which they were, or whose record they carried after it: before another one the VM may get more interfaces. */
  readonly migration: string | undefined;
  /** uid of the target pod that there was: with another one the VM may get more interfaces, too. */
  readonly target: string | undefined;
  /** No interface that came with the migration can be missing: its target was there, or it was over. */
  readonly isWhole: boolean;
  readonly until: number;
}

/** The ports of VMs in OVN_Northbound. Nothing is monitored, or kept but row uuids, which are verified at each use. */
export class Northbound {
  readonly #database: TypedDatabase<OVNNorthbound>;
  readonly #profile: Profile;
  readonly #known = new BoundedMap<KnownPorts>();

  constructor(client: OvsdbClient, profile: Profile) {
    this.#database = client.typed(schema);
    this.#profile = profile;
  }

  /** The ports of these uuids, by name; `undefined` unless they all are there and the VM's. */
  async portsAt(uuids: readonly string[], vmi: VmiReference): Promise<readonly Port[] | undefined> {
    const ports = await this.#select(uuids.map(rowIs));
    const isAll = ports.length === uuids.length && ports.every((port) => this.#isOf(vmi, port));
    return isAll ? ports : undefined;
  }

  /**
   * All ports of a VM, by name: a search, for which the server scans the whole table.
   * @param networks those of the VMI; `undefined` where there is no VMI, or they are not needed
   */
  async searchPorts(vmi: VmiReference, networks: readonly string[] | undefined): Promise<readonly Port[]> {
    if (this.#profile.needsNetworks && networks === undefined) {
      // No name can be told without the VMI; what is left of it is what carries our record.
      return (await this.#recorded()).filter((port) => this.#isOf(vmi, port));
    }
    return this.#select(this.#profile.conditions(vmi, networks ?? []));
  }

  /** Where a warm function has found a VM's ports before. */
  known(vmi: VmiReference): KnownPorts | undefined {
    const known = this.#known.get(keyOf(vmi));
    return known && known.until > Date.now() ? known : undefined;
  }

  forget(vmi: VmiReference): void {
    this.#known.delete(keyOf(vmi));
  }

  remember(vmi: VmiReference, ports: readonly Port[], found: Omit<KnownPorts, 'uuids' | 'until'>): void {
    const uuids = ports.map((port) => port.uuid);
    this.#known.set(keyOf(vmi), { ...found, uuids, until: Date.now() + UUIDS_LAST_MS });
  }

  /**
   * Every port with our record, by VM. The one search that looks at all ports of the database, so for sweeps alone.
   */
  async recordedPorts(): Promise<readonly { readonly vmi: VmiReference; readonly uuids: readonly string[] }[]> {
    const byVmi = new Map<string, { readonly vmi: VmiReference; readonly uuids: string[] }>();
    for (const port of await this.#recorded()) {
      const vmi = this.#profile.ownerOf(port);
      if (vmi === undefined) continue;
      const entry = byVmi.get(keyOf(vmi)) ?? { vmi, uuids: [] };
      entry.uuids.push(port.uuid);
      byVmi.set(keyOf(vmi), entry);
    }
    return [...byVmi.values()];
  }

  /** Names of ports with our record that are no VM's by the profile: another one was set when they were written. */
  async strayRecords(): Promise<readonly string[]> {
    const recorded = await this.#recorded();
    return recorded.filter((port) => this.#profile.ownerOf(port) === undefined).map(({ name }) => name);
  }

  /**
   * Writes the changes in one transaction that commits only if every row still is as it was read.
   * @param comment one line for OVN's transaction log
   * @throws LookAgainError if a row was changed in between; OutcomeUnknownError if it is not known whether they count
   */
  async commit(changes: readonly PortChange[], comment: string): Promise<void> {
    const operations = changes.flatMap((change) => this.#guardedChange(change));
    try {
      await this.#database.transact([...operations, this.#database.comment(comment)], { timeoutMs: TIMEOUT_MS });
    } catch (error) {
      if (error instanceof TransactionError && error.guardFailed) {
        throw new LookAgainError('a port was changed in between', { cause: error });
      }
      if (error instanceof NoAnswerError) {
        throw new OutcomeUnknownError('OVN northbound did not say whether it committed', { cause: error });
      }
      throw awayError(error);
    }
  }

  #recorded(): Promise<readonly Port[]> {
    const bindings = ['pinned', 'dual'] as const;
    return this.#select(bindings.map((binding) => ['options', 'includes', { [RECORD_BINDING_KEY]: binding }]));
  }

  #isOf(vmi: VmiReference, port: Port): boolean {
    const owner = this.#profile.ownerOf(port);
    return owner !== undefined && keyOf(owner) === keyOf(vmi);
  }

  async #select(conditions: readonly PortCondition[]): Promise<readonly Port[]> {
    if (conditions.length === 0) return [];
    const selects = conditions.map((where) => this.#database.select(TABLE, [where], COLUMNS));
    const rows = await this.#database.transact(selects, { timeoutMs: TIMEOUT_MS }).catch((error) => {
      throw awayError(error);
    });
    return rows
      .flat()
      .map(portOf)
      .sort((a, b) => a.name.localeCompare(b.name));
  }

  /**
   * The operations of one change. It counts only if the row is still the VM's and has the options that were read; of
   * `external_ids` others write all the time. Maps are changed by `mutate`, key by key: replacing a map would undo what others
   * wrote, and as a map insert never overwrites (RFC 7047, 5.1 `<mutator>`), what is ours is deleted first.
   */
  #guardedChange({ port, options }: PortChange) {
    const row = rowIs(port.uuid);
    return [
      this.#database.wait(TABLE, [row, this.#profile.ownership(port)], [{ options: port.options }]),
      this.#database.mutate(
        TABLE,
        [row],
        [
          ['options', 'delete', OPTION_KEYS],
          ['options', 'insert', options],
        ],
      ),
    ];
  }
}

function rowIs(id: string): PortCondition {
  return ['_uuid', '==', id as Uuid<typeof TABLE>];
}

function portOf(row: Pick<LogicalSwitchPort, (typeof COLUMNS)[number]>): Port {
  return {
    uuid: row._uuid,
    name: row.name,
    // Where OVN chooses the addresses itself, it says so here and writes them there (ovn-nb(5), dynamic_addresses).
    addresses: row.addresses.flatMap((address) =>
      address.split(' ').includes('dynamic') ? (row.dynamic_addresses ?? []) : [address],
    ),
    options: Object.fromEntries(row.options),
    externalIds: Object.fromEntries(row.external_ids),
  };
}

export function keyOf({ namespace, name }: VmiReference): string {
  return `${namespace}/${name}`;
}

function awayError(error: unknown): TryAgainError {
  return new TryAgainError(`OVN northbound: ${(error as Error).message}`, { cause: error });
}
