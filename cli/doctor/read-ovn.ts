import type { OvsdbClient } from 'ovsdb-client-ts';
import { schema } from 'ovsdb-client-ts/ovn-sb';
import { profileOf } from '../../handover/decision/profile.ts';
import { Southbound } from '../../handover/ovn/southbound.ts';
import { NorthboundOfMany } from '../cluster/northbound.ts';
import type { Databases } from '../cluster/session.ts';
import type { ChassisRow, Member } from './seen.ts';

const TIMEOUT_MS = 5_000;

/** Each server of both databases by itself: what it says of the database. */
export async function readMembers({ settings, client }: Databases): Promise<readonly Member[]> {
  const remotes = { OVN_Northbound: settings.OVN_NB_REMOTE, OVN_Southbound: settings.OVN_SB_REMOTE } as const;
  const all = Object.entries(remotes).flatMap(([database, list]) =>
    list.split(',').map((remote) => ({ database: database as keyof typeof remotes, remote })),
  );
  return await Promise.all(
    all.map(async ({ database, remote }): Promise<Member> => {
      await using server = client('_Server', { remote, leaderOnly: false, connectTimeoutMs: TIMEOUT_MS });
      try {
        const [{ rows = [] } = {}] = await server.transact(
          [
            {
              op: 'select',
              table: 'Database',
              where: [['name', '==', database]],
              columns: ['model', 'connected', 'leader'],
            },
          ],
          { timeoutMs: TIMEOUT_MS },
        );
        const row = rows[0] && {
          isClustered: rows[0].model === 'clustered',
          isConnected: rows[0].connected === true,
          isLeader: rows[0].leader === true,
        };
        return { database, remote, row };
      } catch (error) {
        return { database, remote, problem: reasonIn(error as Error).replace(`${remote}: `, '') };
      }
    }),
  );
}

/** The client tells what it waited for, and last why a server was not usable: that is what counts. */
function reasonIn({ message }: Error): string {
  return message.split('; ').at(-1) ?? message;
}

export async function readSchema(southbound: OvsdbClient): Promise<{ readonly schema: string }> {
  const { version } = (await southbound.getSchema({ timeoutMs: TIMEOUT_MS })) as { readonly version: string };
  return { schema: version };
}

export async function readChassis(client: OvsdbClient): Promise<readonly ChassisRow[]> {
  const sb = client.typed(schema);
  const [support, [rows]] = await Promise.all([
    new Southbound(client).strategySupport(),
    sb.transact([sb.select('Chassis', [], ['name', 'hostname', 'other_config'])], { timeoutMs: TIMEOUT_MS }),
  ]);
  return rows.map((row) => ({
    name: row.name,
    hostname: row.hostname,
    isRemote: row.other_config.get('is-remote') === 'true',
    strategySupport: support.get(row.name) ?? 'rarp-only',
  }));
}

/** The ports of VMs, by the profile of the settings. */
export function northboundOf({ settings, client }: Databases): NorthboundOfMany {
  return new NorthboundOfMany(client('OVN_Northbound'), profileOf(settings.OVN_PROFILE, settings.OVN_PORT_NAME));
}
