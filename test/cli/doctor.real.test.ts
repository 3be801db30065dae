/** doctor on a whole cluster of stand-ins, real ovsdb-servers and a built function, with one fault at a time. */

import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { KubernetesObject } from '@kubernetes/client-node';
import type { Level } from '../../cli/doctor/finding.ts';
import { build } from '../../testkit/function-process.ts';
import { addPort } from '../../testkit/ovn.ts';
import type { Fault } from './support/fault.ts';
import { FAULTS_OF_CLUSTER } from './support/faults-of-cluster.ts';
import { FAULTS_OF_INSTALLATION } from './support/faults-of-installation.ts';
import { Installed } from './support/installed.ts';
import { installWhole, Way } from './support/whole.ts';

jest.setTimeout(120_000);

const VMI = {
  apiVersion: 'kubevirt.io/v1',
  kind: 'VirtualMachineInstance',
  metadata: { name: 'web-01', namespace: 'prod' },
};
const MERGE = 'application/merge-patch+json';

let installed: Installed;

beforeAll(async () => {
  build();
  installed = await Installed.start();
  await installWhole(installed);
  addPort(installed.nb, 'web-01.prod');
  await installed.cluster.createVm();
  const spec = {
    domain: { devices: { interfaces: [{ name: 'tenant-a', bridge: {}, macAddress: '02:00:5e:10:00:01' }] } },
    networks: [{ name: 'tenant-a', multus: { networkName: 'prod/tenant-a' } }],
  };
  await installed.objects.patch(
    { ...VMI, spec } as KubernetesObject,
    undefined,
    undefined,
    undefined,
    undefined,
    MERGE,
  );
});
afterAll(async () => {
  await installed?.[Symbol.asyncDispose]();
});

interface Found {
  readonly id: string;
  readonly level: Level;
  readonly what: string;
  readonly why: string;
  readonly mend: string;
  readonly link: string;
}

async function doctor(
  ...args: string[]
): Promise<{ readonly status: number; readonly level: string; readonly found: readonly Found[] }> {
  const { status, out, err } = await installed.cli('doctor', ...args, '-o', 'json');
  expect(err).toBe('');
  const { level, checks } = JSON.parse(out) as { level: string; checks: { findings?: Found[] }[] };
  return { status, level, found: checks.flatMap(({ findings = [] }) => findings) };
}

test('where nothing is wrong nothing is found', async () => {
  expect(await doctor('--no-probe')).toEqual({ status: 0, level: 'green', found: [] });
});

describe.each([...FAULTS_OF_CLUSTER, ...FAULTS_OF_INSTALLATION])('$name', (fault: Fault) => {
  test(`is found as ${fault.id}, alone, and its mend is printed`, async () => {
    const undo = await fault.put(installed);
    try {
      const { status, level, found } = await doctor('--no-probe');
      expect([...new Set(found.map(({ id }) => id))]).toEqual([fault.id, ...(fault.also ?? [])]);
      expect({ status, level }).toEqual({ status: fault.level === 'red' ? 1 : 0, level: fault.level });
      expect(found[0]!.what).toMatch(fault.names);
      for (const { why, mend, link } of found) {
        expect(why).not.toBe('');
        expect(mend).not.toBe('');
        expect(link).toMatch(/^(docs|eventing)\/[\w-]+\.md#[\w-]+$/);
      }
      const { out } = await installed.cli('doctor', '--no-probe');
      expect(out.replaceAll(/\s+/g, ' ')).toContain(found[0]!.mend.replaceAll(/\s+/g, ' '));
    } finally {
      await undo();
    }
  });
});

test('after all of them nothing is found again', async () => {
  expect(await doctor('--no-probe')).toEqual({ status: 0, level: 'green', found: [] });
});

describe('the way of an event', () => {
  test('is whole where the broker, the Trigger and the function are, and the answer is seen', async () => {
    await using _way = await Way.open(installed);
    try {
      expect(await doctor()).toEqual({ status: 0, level: 'green', found: [] });
    } finally {
      installed.api.sidePaths.services.clear();
      installed.api.sidePaths.logs.clear();
      await installed.cluster.core.deleteCollectionNamespacedPod({ namespace: 'ovn-handover' }).catch(() => {});
    }
  });

  test('ends at a broker that takes nothing, though all is Ready', async () => {
    const { status, found } = await doctor();
    expect(status).toBe(1);
    expect(found).toMatchObject([{ id: 'probe-not-taken', what: expect.stringContaining('no endpoints available') }]);
  });
});
