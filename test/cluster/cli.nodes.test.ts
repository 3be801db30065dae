/** `npm run cluster` as a user has it on a cluster that stands. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { expect, jest, test } from '@jest/globals';
import { migrate } from './support/cli-migrations.ts';
import { PROJECT } from './support/deploying.ts';
import { useCluster } from './support/nodes.ts';

const CLI = ['--conditions=ovn-handover-source', '--no-warnings', 'lab/cluster/cli.ts'];

jest.setTimeout(300_000);

const used = useCluster({ vms: 1 });

async function cluster(...args: readonly string[]) {
  const options = { cwd: PROJECT, maxBuffer: 16 * 1024 * 1024 };
  return promisify(execFile)(process.execPath, [...CLI, ...args], options).then(
    ({ stdout, stderr }) => ({ status: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ status: code as number, stdout: `${stdout}`, stderr: `${stderr}` }),
  );
}

test('a second one is not started beside one that stands', async () => {
  expect(await cluster('up')).toMatchObject({
    status: 1,
    stderr: "cluster: a cluster stands already; 'npm run cluster -- down' ends it.\n",
  });
});

test('status shows both nodes, all pods and the VMs', async () => {
  const { status, stdout } = await cluster('status');
  expect(status).toBe(0);
  for (const seen of [/^node1 +Ready/m, /^node2 +Ready/m, / virt-handler-/, / mt-broker-filter-/, /\/web-01 /]) {
    expect(stdout).toMatch(seen);
  }
});

test.each<readonly [string, readonly string[], RegExp]>([
  ['kubectl', ['get', 'nodes', '-o', 'name'], /^node\/node1\nnode\/node2\n$/],
  ['virtctl', ['version'], /Server Version: .*v1\.7\.0/],
  ['ovn-nbctl', ['lsp-get-addresses', 'web-01.prod'], /^02:00:00:00:00:01 10\.16\.0\.10\n$/],
  ['ovn-sbctl', ['--bare', '--columns=hostname', 'list', 'Chassis'], /node1/],
  ['client', ['ping', '-c', '1', '10.16.0.10'], / 0% packet loss/],
  ['node', ['node2', 'hostname'], /^node2\n$/],
])('%s %j reaches what it is for, and its end is the command’s', async (command, args, said) => {
  expect(await cluster(command, ...args)).toMatchObject({ status: 0, stdout: expect.stringMatching(said) });
  expect((await cluster(command, '--no-such-thing')).status).not.toBe(0);
});

test('logs tells which parts there are, shows the last lines of one, and knows no other', async () => {
  const { stdout } = await cluster('logs');
  const parts = stdout.trim().split('\n');
  expect(parts).toEqual(expect.arrayContaining(['deploy', 'kube-apiserver', 'node1-kubelet', 'node2-containerd']));
  const { stdout: lines } = await cluster('logs', 'deploy', '-n', '2');
  expect(lines.trim().split('\n')).toHaveLength(2);
  expect(lines).toContain('deploy: done');
  const unknown = await cluster('logs', 'kubelet');
  expect(unknown).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('no part is named kubelet; these are: '),
  });
});

test.each(['Scheduling', 'TargetReady'])(
  'migrate --cancel-at %s takes the migration back, and the VM stays',
  async (phase) => {
    const [cancelled] = await migrate('--cancel-at', phase);
    const { from, guest, interfaces } = cancelled!;
    const [seen] = interfaces;
    expect({ guest, tcpBroken: seen.tcpBroken, lostPings: seen.lostPings }).toEqual({
      ...{ guest: 'running', tcpBroken: false, lostPings: 0 },
    });
    const chassis = used.cluster.testbed.chassis.find(({ node }) => node === from)!.name;
    expect(seen.claims.at(-1)).toMatchObject({ chassis, additionalChassis: [] });
  },
);

test('record writes the changes of a migration with who made them, until it is ended', async () => {
  const file = join(PROJECT, 'lab/out/test-cluster-record.jsonl');
  await rm(file, { force: true });
  const recorder = spawn(process.execPath, [...CLI, 'record', 'test-cluster-record'], {
    cwd: PROJECT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(recorder, 'exit');
  await once(createInterface({ input: recorder.stdout }), 'line');
  await migrate('--cancel-at', 'Scheduled');
  recorder.kill('SIGTERM');
  expect(await exit).toEqual([0, null]);
  const lines = (await readFile(file, 'utf8')).trim().split('\n');
  const seen = lines.map((line) => JSON.parse(line) as { type: string; writer?: string; object: { kind: string } });
  for (const kind of ['Pod', 'VirtualMachineInstance', 'VirtualMachineInstanceMigration']) {
    expect(seen).toContainEqual(
      expect.objectContaining({
        type: 'MODIFIED',
        writer: expect.any(String),
        object: expect.objectContaining({ kind }),
      }),
    );
  }
});
