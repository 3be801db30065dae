import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { loadKubeconfig } from '../../../cli/cluster/kubeconfig.ts';
import { kubeconfigYaml } from '../../../lab/kubernetes-api/kubeconfig.ts';

const folder = mkdtempSync(join(tmpdir(), 'handover-kubeconfig-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, server: string): string {
  const path = join(folder, name);
  writeFileSync(path, kubeconfigYaml(server, 'PEM', 'token').replaceAll('ovn-handover-lab', name));
  return path;
}

const one = file('one', 'https://192.0.2.1');
const two = file('two', 'https://192.0.2.2');
const serverOf = (...args: Parameters<typeof loadKubeconfig>) => loadKubeconfig(...args).getCurrentCluster()?.server;

test('a kubeconfig is taken from the option, KUBECONFIG, or the home directory, and several are one', () => {
  expect(serverOf({ kubeconfig: one }, { KUBECONFIG: two })).toBe('https://192.0.2.1');
  expect(serverOf({}, { KUBECONFIG: two })).toBe('https://192.0.2.2');
  expect(serverOf({ context: 'two' }, { KUBECONFIG: `${one}:${two}:/nowhere` })).toBe('https://192.0.2.2');
});

test('what is missing is said: the file, the context, the cluster', () => {
  expect(() => loadKubeconfig({}, { HOME: folder })).toThrow(
    /there is no kubeconfig at .*\.kube\/config: set KUBECONFIG/,
  );
  expect(() => loadKubeconfig({ context: 'three' }, { KUBECONFIG: one })).toThrow(/no context three; it has one/);
  writeFileSync(join(folder, 'broken'), '{');
  expect(() => loadKubeconfig({ kubeconfig: join(folder, 'broken') }, {})).toThrow(/cannot be read/);
});
