/** What happens while Knative's receive adapter is away is never told: only the sweep puts it right. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, jest, test } from '@jest/globals';
import type { Entry } from '../../lab/knative/journal.ts';
import { isFinal } from '../../lab/kubevirt/objects.ts';
import { watchBindings } from '../../lab/observe/bindings.ts';
import { eventually } from '../../lab/scenarios/eventually.ts';
import { useLab } from './support/lab.ts';
import { accountOf, refusedAmong } from './support/rights.ts';

jest.setTimeout(300_000);

/** Long enough for what the adapter says, and finds when it comes back, to be in the journal. */
const QUIET_MS = 5_000;
const DUAL = 'chassis-1,chassis-2';
const start = useLab('losttest');

test('what a receive adapter that was killed in the middle of a migration did not report, reconcile puts right', async () => {
  const { testbed, vm, migrate, journal, requests, controlPlane } = await start({ functions: true });
  const { cluster, adapter, events } = controlPlane;
  const bindings = await watchBindings(testbed);
  const { migration } = await migrate('node2');
  await bindings.wanted.until(({ requestedChassis }) => requestedChassis === DUAL, { timeoutMs: 60_000 });
  await adapter?.kill();
  // What it said before its end may still be on its way.
  await sleep(QUIET_MS);
  const told = (await journal()).filter(isChange);
  // The last changes of a migration: KubeVirt takes its finalizer off, and the kubelet tells how the source pod ended.
  const hasEnded = () =>
    vm.node() === 'node2' &&
    cluster.vmims.latest(migration)?.metadata.finalizers === undefined &&
    cluster.pods.all().every((pod) => pod.spec.nodeName !== 'node1' || isFinal(pod));
  await cluster.until(hasEnded, AbortSignal.timeout(120_000));
  await adapter?.start();
  await sleep(QUIET_MS);
  expect(cluster.vmims.latest(migration)?.status?.phase).toBe('Succeeded');
  expect((await journal()).filter(isChange)).toEqual(told);
  expect(bindings.wanted.last).toMatchObject({ requestedChassis: DUAL });

  // As the PingSource of `eventing/` has it every two minutes.
  await events.ping();
  const isPinned = {
    requestedChassis: 'chassis-2',
    record: { 'handover-binding': 'pinned', 'handover-target': 'node2' },
  };
  await bindings.wanted.until(({ requestedChassis }) => requestedChassis !== DUAL, { timeoutMs: 60_000 });
  await bindings.stop();
  expect(bindings.wanted.last).toMatchObject(isPinned);
  // It answers after it has told the VMI, which is after the port.
  const isAnswer = (entry: Entry) => entry.function === 'reconcile' && entry.kind === 'delivery';
  await eventually('reconcile answers', async () => (await journal()).some(isAnswer));
  const after = await journal();
  // What reconcile itself writes onto the VMIM is heard; what the adapter has missed never is.
  const since = after.filter(isChange).slice(told.length);
  expect(since.filter(({ subject }) => !subject?.includes('/virtualmachineinstancemigrations/'))).toEqual([]);
  expect(after.filter(isAnswer)).toMatchObject([{ type: 'dev.knative.sources.ping', status: 200 }]);
  const asked = await requests();
  expect(asked.map(accountOf)).toContain('reconcile');
  expect(refusedAmong(asked)).toEqual([]);
});

/** An event of the ApiServerSource; the functions' own replies are events, too. */
function isChange({ kind, type }: Entry): boolean {
  return kind === 'event' && type?.startsWith('dev.knative.apiserver.') === true;
}
