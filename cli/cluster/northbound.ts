import type { OvsdbClient, TypedDatabase } from 'ovsdb-client-ts';
import { type OVNNorthbound, schema } from 'ovsdb-client-ts/ovn-nb';
import { TryAgainError } from '../../handover/decision/errors.ts';
import type { VmiReference } from '../../handover/decision/kubevirt.ts';
import type { Port } from '../../handover/decision/port.ts';
import type { Profile } from '../../handover/decision/profile.ts';
import { keyOf, Northbound } from '../../handover/ovn/northbound.ts';

/**
 * The server looks at all ports for each search, and serves nobody else meanwhile. To list all of them takes it as long as 14
 * searches: 650 ms of its time to 47, with 100,000 ports.
 */
const MAX_SEARCHES = 14;
const TIMEOUT_MS = 30_000;

/** OVN_Northbound for commands about many VMs: their ports are found by one look of the server at its table. */
export class NorthboundOfMany extends Northbound {
  readonly #database: TypedDatabase<OVNNorthbound>;
  readonly #profile: Profile;
  /** Uuids of the ports of each VM that was asked for. */
  readonly #located = new Map<string, readonly string[]>();

  constructor(client: OvsdbClient, profile: Profile) {
    super(client, profile);
    this.#database = client.typed(schema);
    this.#profile = profile;
  }

  /** Spares the searches for the ports of these VMs, if they are many. */
  async locate(vmis: readonly VmiReference[]): Promise<void> {
    if (vmis.length <= MAX_SEARCHES) return;
    const located = new Map<string, string[]>(vmis.map((vmi) => [keyOf(vmi), []]));
    for (const { uuid, owner } of await this.#owners()) located.get(keyOf(owner))?.push(uuid);
    for (const [key, uuids] of located) this.#located.set(key, uuids);
  }

  /** Ports that were located are read again where they are; one that came since then is not seen. */
  override async searchPorts(vmi: VmiReference, networks: readonly string[] | undefined): Promise<readonly Port[]> {
    const uuids = this.#located.get(keyOf(vmi));
    const located = uuids && (await this.portsAt(uuids, vmi));
    if (located === undefined) return await super.searchPorts(vmi, networks);
    if (!this.#profile.needsNetworks || networks === undefined) return located;
    const names = new Set<unknown>(this.#profile.conditions(vmi, networks).map(([, , name]) => name));
    return located.filter(({ name }) => names.has(name));
  }

  async #owners(): Promise<readonly { readonly uuid: string; readonly owner: VmiReference }[]> {
    const select = this.#database.select(
      'Logical_Switch_Port',
      [['type', '==', '']],
      ['_uuid', 'name', 'external_ids'],
    );
    const [rows] = await this.#database.transact([select], { timeoutMs: TIMEOUT_MS }).catch((error: Error) => {
      throw new TryAgainError(`OVN northbound: ${error.message}`, { cause: error });
    });
    return rows.flatMap(({ _uuid: uuid, name, external_ids }) => {
      const externalIds = Object.fromEntries(external_ids);
      const owner = this.#profile.ownerOf({ uuid, name, externalIds, addresses: [], options: {} });
      return owner ? [{ uuid, owner }] : [];
    });
  }
}
