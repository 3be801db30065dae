/**
 * All checks and tests, one after the other, with a verdict at the end; what `make test` and CI run. `make test` leaves out those on a
 * real Kubernetes, which an argument names: `api-server`, `nodes` and `slow` run the projects of that name, `cluster` the first two.
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

/** How many VMs the cluster has: no file of tests uses more. */
const VMS = 3;
const reports = mkdtempSync(join(tmpdir(), 'handover-test-'));
const failed: string[] = [];
let passedTests = 0;
let failedTests = 0;

const [, , wanted] = process.argv;
if (wanted === undefined) {
  check('the generated schema code is current', 'node', ['scripts/generate.ts', '--check']);
  check('format, lint, dead exports and duplicates', 'npm', ['run', '--silent', 'lint']);
  check('types', 'tsc', []);
  check('packages as they would be published', 'node', ['--no-warnings', 'scripts/pack/lint-all.ts']);
  check('the API reference is complete', 'node', [
    '--no-warnings',
    'scripts/reference/check.ts',
    'packages/knative-eventing-ts-sdk',
    'packages/ovsdb-client-ts',
  ]);
  tests('unit tests', 'unit');
  tests('tests on real OVN, QEMU and ovsdb-server', 'real');
}
if (wanted === 'api-server' || wanted === 'cluster') tests('tests on a real Kubernetes API', 'cluster');
if (wanted === 'nodes' || wanted === 'cluster') await onCluster(() => tests('tests on a whole cluster', 'nodes'));
if (wanted === 'slow') {
  tests('whatever ends the start of a cluster', 'no-cluster');
  await onCluster(() => tests('longer tests on a whole cluster', 'slow'));
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

/** One cluster for all files of tests, which each would start one of its own; it ends with this process. */
async function onCluster(run: () => void): Promise<void> {
  const { standingCluster } = await import('../lab/cluster/standing.ts');
  const began = Date.now();
  const say = (step: string) => console.log(`${((Date.now() - began) / 1000).toFixed(1).padStart(7)} s  ${step}`);
  try {
    await using _cluster = await standingCluster(VMS, say);
    run();
  } catch (error) {
    console.error((error as Error).message);
    failed.push('a cluster to test on');
  }
}

function tests(name: string, project: string): void {
  const file = join(reports, `${project}.json`);
  // Of real programs one file after the other: they share the machine's cores, and each wants guests or daemons.
  const inTurn = project === 'unit' ? [] : ['--runInBand'];
  check(name, 'jest', ['--selectProjects', project, ...inTurn, '--json', '--outputFile', file, '--silent=false'], {
    NODE_OPTIONS: '--experimental-vm-modules --no-warnings',
  });
  const report = JSON.parse(readFileSync(file, 'utf8')) as Jest;
  passedTests += report.numPassedTests;
  failedTests += report.numFailedTests + (report.numFailedTests === 0 ? report.numFailedTestSuites : 0);
  if (report.numPassedTests === 0) failed.push(`${name}: none ran`);
}
