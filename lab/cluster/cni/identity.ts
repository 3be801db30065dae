import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { isIPv4 } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { OvsdbClient } from 'ovsdb-client-ts';
import { schema } from 'ovsdb-client-ts/ovn-nb';
import validate from '../../../schemas/generated/port-annotation.js';
import { API_ADDRESS, API_PORT, NB_PORT } from '../addresses.ts';

/** What `reuse-port` writes on a target pod with the generic profile: docs/cni.md. */
const ANNOTATION = 'ovn-handover.dev/port';
const TARGET_OF = 'kubevirt.io/migrationJobUID';
const VM_NAME = 'vm.kubevirt.io/name';
const LOOK_EVERY_MS = 100;

export interface Port {
  /** Name of the logical switch port. */
  readonly ifaceId: string;
  readonly mac: string;
  /** IPv4 address without prefix length. */
  readonly ip: string;
}

interface Pod {
  readonly metadata: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

/**
 * The port of a VM's pod: what its annotation says, and where it has none, the one that is named after its VM.
 *
 * @param withinMs how long a migration's target waits for the annotation; before it, the port may not be its to claim
 */
export async function portOf(
  pod: { namespace: string; name: string },
  withinMs: number,
): Promise<Port & { source: 'annotation' | 'name' }> {
  for (const giveUpAt = Date.now() + withinMs; ; await sleep(LOOK_EVERY_MS)) {
    const { labels = {}, annotations = {} } = (await getPod(pod)).metadata;
    const written = annotations[ANNOTATION];
    if (written !== undefined) return { ...portIn(written), source: 'annotation' };
    if (TARGET_OF in labels && Date.now() < giveUpAt) continue;
    return { ...(await portNamed(`${labels[VM_NAME]}.${pod.namespace}`)), source: 'name' };
  }
}

/**
 * What an annotation says, as far as this plug-in knows it: one interface, with an IPv4 address.
 *
 * @throws Error where it says anything else
 */
export function portIn(annotation: string): Port {
  const said: unknown = JSON.parse(annotation);
  const port = validate(said) && 'ifaceId' in said && typeof said.ifaceId === 'string' ? said : undefined;
  const ip = (port?.ips as readonly string[] | undefined)?.find((address) => isIPv4(address));
  if (port === undefined || ip === undefined) {
    throw new Error(
      `${ANNOTATION} is ${annotation}; expected one port with an IPv4 address, and no {network} in OVN_PORT_NAME.`,
    );
  }
  return { ifaceId: String(port.ifaceId), mac: String(port.mac), ip };
}

async function portNamed(name: string): Promise<Port> {
  await using client = new OvsdbClient({ remote: `tcp:${API_ADDRESS}:${NB_PORT}`, database: 'OVN_Northbound' });
  const nb = client.typed(schema);
  const [[row]] = await nb.transact([nb.select('Logical_Switch_Port', [['name', '==', name]], ['addresses'])]);
  const [address] = row?.addresses ?? [];
  const [mac, ip] = address?.split(' ') ?? [];
  if (mac === undefined || ip === undefined) throw new Error(`OVN has no port ${name} with a MAC and an IP.`);
  return { ifaceId: name, mac, ip };
}

async function getPod({ namespace, name }: { namespace: string; name: string }): Promise<Pod> {
  const [ca, cert, key] = await Promise.all(
    ['ca.crt', 'node.crt', 'node.key'].map((file) => readFile(`/etc/kubernetes/${file}`)),
  );
  const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
  const answer = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    request({ host: API_ADDRESS, port: API_PORT, path, ca, cert, key, timeout: 10_000 }, resolve)
      .once('error', reject)
      .end();
  });
  const body = await json(answer);
  if (answer.statusCode !== 200) throw new Error(`${path}: ${answer.statusCode} ${JSON.stringify(body)}`);
  return body as Pod;
}
