/**
 * All checks and tests, one after the other, with a verdict at the end; what `make test` and CI run. With the argument
 * `cluster` only the tests on a real Kubernetes API, and with `nodes` those on a whole cluster, which `make test` leaves out.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Jest {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numFailedTestSuites: number;
}

const reports = mkdtempSync(join(tmpdir(), 'handover-test-'));
const failed: string[] = [];
let passedTests = 0;
let failedTests = 0;

// Of real programs one file after the other: they share the machine's cores, and each wants guests or daemons.
const [, , project] = process.argv;
if (project === 'cluster' || project === 'nodes') {
  tests(`tests on a real Kubernetes${project === 'nodes' ? '' : ' API'}`, ['--selectProjects', project, '--runInBand']);
} else {
  check('the generated schema code is current', 'node', ['scripts/generate.ts', '--check']);
  check('format and lint', 'biome', ['check', '.']);
  check('types', 'tsc', []);
  tests('unit tests', ['--selectProjects', 'unit']);
  tests('tests on real OVN, QEMU and ovsdb-server', ['--selectProjects', 'real', '--runInBand']);
}

rmSync(reports, { recursive: true });
console.log(failed.length === 0 ? '\nPASSED: all checks and tests' : `\nFAILED: ${failed.join('; ')}`);
console.log(`${passedTests} passed, ${failedTests} failed`);
process.exitCode = failed.length === 0 ? 0 : 1;

function check(name: string, command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): void {
  console.log(`\n· ${name}`);
  const { status } = spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...env } });
  if (status !== 0) failed.push(name);
}

function tests(name: string, args: readonly string[]): void {
  const file = join(reports, 'jest.json');
  check(name, 'jest', [...args, '--json', '--outputFile', file, '--silent=false'], {
    NODE_OPTIONS: '--experimental-vm-modules --no-warnings',
  });
  const report = JSON.parse(readFileSync(file, 'utf8')) as Jest;
  passedTests += report.numPassedTests;
  failedTests += report.numFailedTests + (report.numFailedTests === 0 ? report.numFailedTestSuites : 0);
  if (report.numPassedTests === 0) failed.push(`${name}: none ran`);
}
