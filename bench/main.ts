import { Command } from 'commander';
import coldPath from './cold-path.ts';
import coldStart from './cold-start.ts';
import eventToCommit from './event-to-commit.ts';
import { type Benchmark, holds } from './harness/benchmark.ts';
import { machine } from './harness/machine.ts';
import { table, writeReport } from './harness/report.ts';
import idle from './idle.ts';
import outage from './outage.ts';
import scale from './scale.ts';
import soak from './soak.ts';
import storm from './storm.ts';

const benchmarks: readonly Benchmark[] = [coldPath, coldStart, eventToCommit, idle, outage, scale, soak, storm];

const program = new Command('bench').description(
  'What the hand-over costs and how it grows. Needs root, OVN and a quiet machine.',
);
for (const benchmark of benchmarks) {
  program.addCommand(
    benchmark.command
      .option('--json <file>', 'write the figures there')
      .action((options) => measure(benchmark, options)),
  );
}
try {
  await program.parseAsync();
} catch (error) {
  console.error(`bench: ${(error as Error).stack}`);
  process.exitCode = 1;
}

async function measure({ command, run }: Benchmark, { json, ...options }: Record<string, unknown>): Promise<void> {
  const about = { benchmark: command.name(), at: new Date().toISOString(), machine: await machine(), options };
  const report = { ...about, ...(await run(options, (step) => console.log(`· ${step}`))) };
  console.log(`\n${table(report)}`);
  if (typeof json === 'string') await writeReport(report, json);
  if (!report.limits.every(holds)) process.exitCode = 1;
}
