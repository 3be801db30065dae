import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Background } from '../background.ts';
import { binary } from './binaries.ts';

const GRACE_MS = 5_000;

/** etcd on Unix sockets. Its data is in memory that goes with the process, so that nothing is ever left of it. */
export class Etcd {
  /** For kube-apiserver's --etcd-servers. */
  readonly url: string;
  /** Resolves with how it ended. */
  readonly ended: Promise<string>;
  readonly #process: Background;

  /** @param directory of the sockets and the log */
  static async start(directory: string): Promise<Etcd> {
    const data = join(directory, 'etcd');
    await mkdir(data, { recursive: true });
    return new Etcd(directory, data);
  }

  private constructor(directory: string, data: string) {
    this.url = `unix://${directory}/etcd.sock`;
    const peers = `unix://${directory}/etcd-peers.sock`;
    const command = [
      ...[binary('etcd'), '--data-dir', `${data}/data`, '--log-level', 'warn', '--unsafe-no-fsync'],
      ...['--listen-client-urls', this.url, '--advertise-client-urls', this.url, '--listen-peer-urls', peers],
      ...['--initial-advertise-peer-urls', peers, '--initial-cluster', `default=${peers}`],
    ];
    // A mount of its own, which nobody else sees.
    const inMemory = ['--mount', 'sh', '-c', 'mount -t tmpfs etcd "$0" && exec "$@"', data, ...command];
    this.#process = new Background({ file: 'unshare', args: inMemory, env: process.env }, join(directory, 'etcd.log'));
    this.ended = this.#process.ended;
  }

  async stop(graceMs = GRACE_MS): Promise<void> {
    await this.#process.stop(graceMs);
  }
}
