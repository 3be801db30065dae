import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import { addPort } from '../../testkit/ovn.ts';
import { Installed } from './support/installed.ts';
import { installWhole } from './support/whole.ts';

jest.setTimeout(60_000);

test('an archive has what the commands show, logs, objects and rows, and neither certificates nor tokens', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'handover-bundle-'));
  await using installed = await Installed.start();
  try {
    await installWhole(installed);
    addPort(installed.nb, 'web-01.prod');
    await installed.cluster.createVm();
    await installed.cluster.core.createNamespacedPod({
      namespace: 'ovn-handover',
      body: {
        metadata: { name: 'reconcile-0' },
        spec: {
          containers: [{ name: 'user-container', image: 'x', env: [{ name: 'API_TOKEN', value: 'unspeakable' }] }],
        },
      },
    });
    installed.api.sidePaths.logs.set('ovn-handover/reconcile-0', () => '{"msg":"looked at 0 VMs"}\n');

    const file = join(folder, 'bundle.tar.gz');
    expect(await installed.cli('bundle', '--file', file)).toMatchObject({ status: 0 });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    execFileSync('tar', ['-xzf', file, '-C', folder]);
    const [root] = readdirSync(folder).filter((name) => name.startsWith('ovn-handover-'));
    const files = readdirSync(join(folder, root!), { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    const contents = Object.fromEntries(
      files.map(({ parentPath, name }) => {
        const path = join(parentPath, name);
        return [path.slice(join(folder, root!).length + 1), readFileSync(path, 'utf8')];
      }),
    );
    expect(Object.keys(contents)).toEqual(
      expect.arrayContaining([
        ...['doctor.json', 'doctor.txt', 'seen.json', 'logs/reconcile-0/user-container.log'],
        ...['status', 'explain', 'rows', 'history'].map((name) => `vms/prod/web-01/${name}.json`),
        ...['configmaps', 'triggers', 'services', 'pods'].map((name) => `objects/${name}.json`),
      ]),
    );
    expect(contents['logs/reconcile-0/user-container.log']).toContain('looked at 0 VMs');
    expect(JSON.parse(contents['vms/prod/web-01/rows.json']!).northbound).toMatchObject([{ name: 'web-01.prod' }]);

    const all = Object.values(contents).join('\n');
    const token = /token: (.+)/.exec(installed.api.kubeconfig)![1]!;
    for (const secret of [...Object.values(installed.issue(1)), token, 'unspeakable'])
      expect(all).not.toContain(secret);
    const { data } = (await installed.cluster.core.readNamespacedSecret({
      name: 'ovn-client-tls',
      namespace: 'ovn-handover',
    }))!;
    for (const value of Object.values(data!)) {
      expect(all).not.toContain(value);
      expect(all).not.toContain(Buffer.from(value, 'base64').toString().split('\n')[1]);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
