import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type ControlPlaneOptions, startControlPlane } from '../control-plane.ts';
import { run } from '../testbed/command.ts';
import type { TestbedDescription } from '../testbed/description.ts';
import { runOvn } from '../testbed/ovn-suite.ts';
import { Baseline } from './baseline.ts';
import { migrateOnce } from './migration.ts';
import { type MigrationResult, type Mode, type Report, summarize } from './result.ts';
import { startVm } from './vm.ts';

export interface RunOptions {
  readonly testbed: TestbedDescription;
  readonly mode: Mode;
  /** Number of migrations, there and back. */
  readonly migrations: number;
  readonly eventDelayMs: number;
  readonly paceMs: number;
  readonly idleMs: number;
  readonly gate: boolean;
  /** Time before and after each migration, ms. */
  readonly quietMs?: number;
  readonly kubernetes?: NonNullable<ControlPlaneOptions['kubernetes']>;
  readonly onProgress: (step: string) => void;
  readonly onMigration: (result: MigrationResult) => void;
}

/** Brings up a control plane and a VM on the testbed, migrates it there and back, and takes both down again. */
export async function runMigrations(options: RunOptions): Promise<Report> {
  const { testbed, mode, migrations, eventDelayMs, paceMs, onProgress, onMigration } = options;
  const handover = mode === 'handover';
  const gate = handover && options.gate;
  await new Baseline(testbed).reset();
  const controlPlane = await startControlPlane({ ...options, gate, functions: handover });
  try {
    onProgress('starting the VM: a Linux guest in QEMU on node1, its port bound to nothing');
    const vm = await startVm(testbed, controlPlane.cluster);
    const results: MigrationResult[] = [];
    for (let index = 1; index <= migrations; index++) {
      const to = vm.node() === 'node1' ? 'node2' : 'node1';
      onProgress(`migration ${index} of ${migrations}: ${vm.node()} → ${to}, events ${eventDelayMs} ms late`);
      const result = await migrateOnce({ ...options, controlPlane, vm, to });
      onMigration(result);
      results.push(result);
      if (result.guest !== 'running') break;
    }
    const summary = summarize(results);
    return { mode, gate, eventDelayMs, paceMs, versions: await versions(testbed), migrations: results, summary };
  } finally {
    onProgress('ending the VM and the control plane');
    await controlPlane.stop();
  }
}

/** Writes a report for people and programs: each ping and each delivery on a line of its own. */
export async function writeResult(report: Report, file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const text = JSON.stringify(report, undefined, 2);
  await writeFile(file, `${text.replace(/\[\s+(-?[\d.]+),\s+([\d.]+|null)(?:,\s+([\d.]+))?\s+\]/g, compact)}\n`);
}

function compact(_: string, ...numbers: (string | undefined)[]): string {
  return `[${numbers.slice(0, 3).filter(Boolean).join(', ')}]`;
}

async function versions({ ovn, client }: TestbedDescription): Promise<Record<string, string>> {
  const firstLine = async (program: string) =>
    (await runOvn({ netns: client.netns, ovn }, [program, '--version'])).split('\n')[0] ?? '';
  return {
    ovn: await firstLine('ovn-controller'),
    ovs: await firstLine('ovs-vswitchd'),
    qemu: (await run('qemu-system-x86_64', ['--version'])).split('\n')[0] ?? '',
    node: process.version,
    kernel: await run('uname', ['-r']),
  };
}
