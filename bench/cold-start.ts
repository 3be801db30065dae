/**
 * From the exec of a function's process to its listening, and to its first transaction committed, in turns with the
 * function that `func` makes for TypeScript and CloudEvents.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { freePort } from '../lab/free-port.ts';
import { run } from '../lab/testbed/command.ts';
import { build, HEADERS } from '../testkit/function-process.ts';
import { inImageRoot } from '../testkit/image-root.ts';
import { addPort } from '../testkit/ovn.ts';
import { Installation } from './cloud/installation.ts';
import type { Benchmark } from './harness/benchmark.ts';
import { positive } from './harness/options.ts';
import { residentMb } from './harness/process.ts';
import { median } from './harness/statistics.ts';

const ROOT = join(import.meta.dirname, '..');
const STOCK = join(import.meta.dirname, 'stock-function');
const PORT = 'web-01.prod';
const OURS: CommandLine = [process.execPath, 'dist/index.mjs'];
/** The Containerfile's entry point. */
const IN_IMAGE = ['node', '/app/index.mjs'];

type CommandLine = readonly [file: string, ...args: string[]];

export default {
  command: new Command('cold-start')
    .description("from exec to listening and to the first commit, beside func's stock TypeScript function")
    .option('--runs <n>', 'of each', positive, 20)
    .option('--root <folder>', 'start ours from inside this root of an image, as a container would'),
  async run({ runs, root }: { runs: number; root?: string }, progress) {
    progress('building both functions');
    build();
    await buildStock();
    progress('starting OVN NB and SB with TLS, and the Kubernetes API');
    await using installation = await Installation.start();
    addPort(installation.nb, PORT);
    await installation.cluster.createVm();
    const command = root === undefined ? OURS : inImageRoot(root, '0:0', IN_IMAGE);
    const stock: number[] = [];
    const listening: number[] = [];
    const committed: number[] = [];
    const memory: number[] = [];
    for (let turn = 1; turn <= runs; turn++) {
      progress(`turn ${turn} of ${runs}`);
      stock.push(await stockStart());
      const ours = await coldStart(installation, command, `move-${turn}`);
      listening.push(ours.listening);
      committed.push(ours.committed);
      memory.push(ours.residentMb);
    }
    return {
      setup: { 'stock function': `faas-js-runtime ${stockVersion()}` },
      series: [
        { name: 'stock function, listening', unit: 'ms', values: stock },
        { name: 'reuse-port, listening', unit: 'ms', values: listening },
        { name: 'reuse-port, first commit', unit: 'ms', values: committed },
        { name: 'reuse-port, resident after it', unit: 'MB', values: memory },
      ],
      limits: [
        { what: 'listening, x stock', value: median(listening) / median(stock), atMost: 0.6 },
        { what: 'first commit, x stock listening', value: median(committed) / median(stock), atMost: 1.5 },
        { what: 'resident, MB', value: Math.max(...memory), atMost: 100 },
      ],
    };
  },
} satisfies Benchmark;

interface ColdStart {
  readonly listening: number;
  readonly committed: number;
  readonly residentMb: number;
}

/** One start of `reuse-port` that pins a port; then all is again as it was before. */
async function coldStart(installation: Installation, command: CommandLine, migration: string): Promise<ColdStart> {
  const { nb, cluster } = installation;
  const { vmim } = await cluster.migrate(migration);
  const committed = Promise.withResolvers<number>();
  const watch = await nb.watch('Logical_Switch_Port', ['options'], (row) => {
    if (JSON.stringify(row).includes('requested-chassis')) committed.resolve(performance.now());
  });
  const started = await startProcess(command, ROOT, installation.settings('reuse-port'));
  try {
    const answer = await fetch(started.url, { method: 'POST', body: JSON.stringify(vmim), headers: HEADERS });
    if (answer.status !== 200) throw new Error(`reuse-port answered ${answer.status}: ${await answer.text()}`);
    return {
      listening: started.listening,
      committed: (await committed.promise) - started.at,
      residentMb: residentMb(started.child.pid!),
    };
  } finally {
    await end(started.child);
    await watch.stop();
    await cluster.vm.patchMigration(vmim.metadata.name, { phase: 'Failed' });
    nb.ctl('lsp-del', PORT);
    addPort(nb, PORT);
  }
}

async function stockStart(): Promise<number> {
  const program: CommandLine = [process.execPath, 'node_modules/faas-js-runtime/bin/cli.js', './build/index.js'];
  const started = await startProcess(program, STOCK, { FUNC_LOG_LEVEL: 'info' });
  await end(started.child);
  return started.listening;
}

/** Starts a function as its image does, and resolves when a connection to it succeeds. */
async function startProcess(command: CommandLine, cwd: string, settings: Readonly<Record<string, string>>) {
  const [file, ...args] = command;
  const port = await freePort();
  const at = performance.now();
  const env = { PATH: process.env.PATH, ...settings, FUNC_PORT: `${port}` };
  const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'ignore', 'inherit'] });
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`${command.join(' ')} ended with ${child.exitCode}`);
    await sleep(1);
  }
  return { child, at, listening: performance.now() - at, url: `http://127.0.0.1:${port}` };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.once('connect', () => socket.destroy());
    socket.once('error', () => resolve(false));
  });
}

async function end(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

async function buildStock(): Promise<void> {
  await run('npm', ['ci', '--no-audit', '--no-fund', '--prefix', STOCK]);
  await run('tsc', ['-p', STOCK]);
}

function stockVersion(): string {
  return JSON.parse(readFileSync(join(STOCK, 'node_modules/faas-js-runtime/package.json'), 'utf8')).version;
}
