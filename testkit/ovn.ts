import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseUpdate } from '../lab/observe/monitor.ts';

const SCHEMAS = '/usr/share/ovn';

/** One of OVN's databases on a real ovsdb-server with the real schema; nothing else of OVN runs. */
export class OvnDatabase implements AsyncDisposable {
  readonly remote: string;
  readonly file: string;
  readonly name: 'OVN_Northbound' | 'OVN_Southbound';
  readonly #directory = mkdtempSync(join(tmpdir(), 'handover-ovn-'));
  readonly #tool: string;
  readonly #args: readonly string[];
  #server: ChildProcess | undefined;

  private constructor(which: 'nb' | 'sb', args: readonly string[]) {
    this.#args = args;
    this.name = which === 'nb' ? 'OVN_Northbound' : 'OVN_Southbound';
    this.file = join(this.#directory, `${which}.db`);
    this.remote = `unix:${join(this.#directory, `${which}.sock`)}`;
    this.#tool = `ovn-${which}ctl`;
    execFileSync('ovsdb-tool', ['create', this.file, `${SCHEMAS}/ovn-${which}.ovsschema`]);
  }

  /** @param args of the server beside its own socket, such as a remote for TLS */
  static async start(which: 'nb' | 'sb', args: readonly string[] = []): Promise<OvnDatabase> {
    const database = new OvnDatabase(which, args);
    await database.start();
    return database;
  }

  /** Also after {@link kill}, with what the database held. */
  async start(): Promise<void> {
    const control = join(this.#directory, 'ctl');
    rmSync(control, { force: true });
    this.#server = spawn(
      'ovsdb-server',
      [this.file, `--remote=p${this.remote}`, `--unixctl=${control}`, '-vconsole:off', ...this.#args],
      { stdio: 'ignore' },
    );
    while (!existsSync(control)) {
      if (this.#server.exitCode !== null) throw new Error(`ovsdb-server ended with ${this.#server.exitCode}`);
      await sleep(10);
    }
  }

  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const exit = once(server, 'exit');
    server.kill('SIGKILL');
    await exit;
  }

  /** Of the server. */
  get pid(): number {
    return this.#server?.pid ?? Number.NaN;
  }

  /** Lets the server hang (SIGSTOP), or go on. */
  hang(stopped: boolean): void {
    this.#server?.kill(stopped ? 'SIGSTOP' : 'SIGCONT');
  }

  /** Runs OVN's own ovn-nbctl or ovn-sbctl. */
  ctl(...args: string[]): string {
    return execFileSync(this.#tool, [`--db=${this.remote}`, '--no-leader-only', ...args], { encoding: 'utf8' }).trim();
  }

  /** Every row of every table, as OVN's own tool prints them. */
  dump(): string {
    return execFileSync('ovsdb-client', ['dump', this.remote, this.name], { encoding: 'utf8' });
  }

  /** The transaction log of the database's file, as OVN's own tool prints it. */
  log(): string {
    return execFileSync('ovsdb-tool', ['-m', 'show-log', this.file], { encoding: 'utf8' });
  }

  /** {@link watchTable} of this database. */
  watch(table: string, columns: readonly string[], onRow: (row: Record<string, unknown>) => void): Promise<Watch> {
    return watchTable(this.remote, this.name, table, columns, onRow);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

export interface Watch extends AsyncDisposable {
  stop(): Promise<void>;
}

/** Reports each state of the rows of a table from now on, by OVN's own tool. Resolves once it watches. */
export async function watchTable(
  remote: string,
  database: string,
  table: string,
  columns: readonly string[],
  onRow: (row: Record<string, unknown>) => void,
): Promise<Watch> {
  const args = ['-vconsole:off', '--format=json', 'monitor', remote, database, table, columns.join(',')];
  const child = spawn('ovsdb-client', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    for (const { row } of parseUpdate(line)) if (row) onRow(row);
  });
  await once(lines, 'line');
  const stop = async () => {
    if (child.exitCode !== null) throw new Error('the observer had ended before');
    const closed = once(lines, 'close');
    child.kill();
    await closed;
  };
  return { stop, [Symbol.asyncDispose]: stop };
}

const ADDRESSES = 'addresses="02:00:5e:10:00:01 192.168.50.10"';

/** A logical switch port of `prod/web-01` as Kube-OVN makes it. @returns its uuid */
export function addPort(northbound: OvnDatabase, name: string, vm = 'prod/web-01'): string {
  northbound.ctl('--may-exist', 'ls-add', 'tenant-a', '--', 'lsp-add', 'tenant-a', name);
  northbound.ctl(
    'set',
    'Logical_Switch_Port',
    name,
    ADDRESSES,
    `external_ids:pod=${vm}`,
    'external_ids:vendor=kube-ovn',
  );
  return northbound.ctl('get', 'Logical_Switch_Port', name, '_uuid');
}

export function addChassis(southbound: OvnDatabase, name: string, hostname: string, ip: string): void {
  southbound.ctl('chassis-add', name, 'geneve', ip, '--', 'set', 'Chassis', name, `hostname=${hostname}`);
}

/** @returns its uuid */
export function addPortBinding(southbound: OvnDatabase, port: string, key: number): string {
  const output = southbound.ctl(
    '--id=@datapath',
    'create',
    'Datapath_Binding',
    `tunnel_key=${key}`,
    '--',
    'create',
    'Port_Binding',
    `logical_port=${port}`,
    'datapath=@datapath',
    `tunnel_key=${key}`,
  );
  return output.split('\n').at(-1)!;
}

/** One column of a port, which is a map, as OVN's own tool has it. */
export function mapOf(
  northbound: OvnDatabase,
  port: string,
  column: 'options' | 'external_ids',
): Record<string, string> {
  const json = northbound.ctl('--format=json', `--columns=${column}`, 'list', 'Logical_Switch_Port', port);
  const { data } = JSON.parse(json) as { data: [[['map', [string, string][]]]] };
  return Object.fromEntries(data[0][0][1]);
}
