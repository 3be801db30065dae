import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { generate } from 'selfsigned';
import { createDatabase } from '../../../packages/ovsdb-client-ts/src/test-server/database-file.ts';
import { OvsdbServer } from '../../../packages/ovsdb-client-ts/src/test-server/ovsdb-server.ts';
import { Cluster } from '../../../packages/ovsdb-client-ts/test/support/cluster.ts';
import { TemporaryDirectory } from '../../../packages/ovsdb-client-ts/test/support/server.ts';

const NAME = 'OVN_Southbound';
const schema = () => JSON.parse(readFileSync('/usr/share/ovn/ovn-sb.ovsschema', 'utf8'));

/** The chassis of worker-a and worker-b, as in the database that this one stands in for. */
function addChassis(remote: string): void {
  const rows = [
    ['chassis-a', 'worker-a', '10.0.0.1'],
    ['chassis-b', 'worker-b', '10.0.0.2'],
  ];
  for (const [name, hostname, ip] of rows) {
    const set = ['set', 'Chassis', name!, `hostname=${hostname}`];
    execFileSync('ovn-sbctl', [`--db=${remote}`, 'chassis-add', name!, 'geneve', ip!, '--', ...set]);
  }
}

/** OVN southbound as a raft cluster, which loses members. */
export class ClusteredDatabase implements AsyncDisposable {
  readonly remote: string;
  readonly #cluster: Cluster;

  private constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.remote = cluster.remote;
  }

  static async start(size: number): Promise<ClusteredDatabase> {
    const cluster = await Cluster.start(schema(), size);
    await cluster.waitForLeader();
    addChassis(cluster.remote);
    return new ClusteredDatabase(cluster);
  }

  async killFollower(): Promise<void> {
    const leader = await this.#cluster.waitForLeader();
    await this.#cluster.members.find((member) => member !== leader)!.kill();
  }

  /** Of two, none can lead without the other. Resolves once the one that is left says so. */
  async loseQuorum(): Promise<void> {
    const leader = await this.#cluster.waitForLeader();
    await leader.kill();
    const [left] = this.#cluster.members.filter(({ isRunning }) => isRunning);
    while (left!.control('cluster/status', NAME).includes('Leader: unknown') === false) await sleep(100);
    await sleep(1_000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cluster[Symbol.asyncDispose]();
  }
}

/** OVN southbound of another version, with the same chassis. */
export class OlderDatabase implements AsyncDisposable {
  readonly remote: string;
  readonly #server: OvsdbServer;
  readonly #directory: TemporaryDirectory;

  private constructor(remote: string, server: OvsdbServer, directory: TemporaryDirectory) {
    this.remote = remote;
    this.#server = server;
    this.#directory = directory;
  }

  static async start(version: string): Promise<OlderDatabase> {
    const directory = new TemporaryDirectory();
    const remote = `unix:${directory.path}/socket`;
    const databases = [createDatabase(directory.path, { ...schema(), version })];
    const server = await OvsdbServer.start({ databases, remotes: [`p${remote}`], directory: directory.path });
    addChassis(remote);
    return new OlderDatabase(remote, server, directory);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.kill();
    this.#directory[Symbol.dispose]();
  }
}

/** A certificate that was in force until yesterday, and its key, in base64. */
export async function expired(): Promise<{ readonly cert: string; readonly key: string }> {
  const day = 24 * 3_600_000;
  const dates = { notBeforeDate: new Date(Date.now() - 3 * day), notAfterDate: new Date(Date.now() - day) };
  const made = await generate([{ name: 'commonName', value: 'client' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    ...dates,
  });
  const base64 = (pem: string) => Buffer.from(pem).toString('base64');
  return { cert: base64(made.cert), key: base64(made.private) };
}
