/** Each command of the guide, as its reader types it, on a whole cluster of stand-ins. */
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { build } from '../../testkit/function-process.ts';
import { addPort } from '../../testkit/ovn.ts';
import { cliCommands } from '../docs/support/guide.ts';
import { Installed } from './support/installed.ts';
import { installWhole, Way } from './support/whole.ts';

jest.setTimeout(120_000);

let installed: Installed;
let way: Way;

beforeAll(async () => {
  build();
  installed = await Installed.start();
  await installWhole(installed);
  addPort(installed.nb, 'web-01.prod');
  await installed.cluster.createVm();
  way = await Way.open(installed);
});
afterAll(async () => {
  await way?.[Symbol.asyncDispose]();
  await installed?.[Symbol.asyncDispose]();
  rmSync('night.tar.gz', { force: true });
});

const commands = cliCommands();
/** Once the installation is gone there is nothing to look at. */
const ordered = [...commands.filter(([name]) => name !== 'remove'), ...commands.filter(([name]) => name === 'remove')];

test.each(ordered.map((args) => ({ line: args.join(' '), args })))('ovn-handover $line', async ({ line, args }) => {
  if (line === 'remove --yes') {
    // Knative takes a function's pods away with its Service.
    await way[Symbol.asyncDispose]();
    await installed.cluster.core.deleteNamespacedPod({
      name: 'reconcile-00001-deployment-0',
      namespace: 'ovn-handover',
    });
  }
  const { status, out, err } = await installed.cli(...args);
  expect({ status, err }).toEqual({ status: 0, err: line.startsWith('bundle') || line === 'remove --yes' ? err : '' });
  expect(out).not.toBe('');
});
