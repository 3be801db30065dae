import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DUAL_GATE, PORT_GATE } from '../../handover/decision/kubevirt.ts';
import { Cluster } from '../../testkit/cluster.ts';
import { build, FunctionProcess, HEADERS } from '../../testkit/function-process.ts';
import { addChassis, addPort, mapOf, OvnDatabase } from '../../testkit/ovn.ts';

const directory = mkdtempSync(join(tmpdir(), 'handover-given-up-'));
/** As the dead letter sink of a Trigger gets it. */
const GIVEN_UP = { 'ce-knativeerrordest': 'http://reuse-port.ovn-handover.svc', 'ce-knativeerrorcode': '503' };

let nb: OvnDatabase;
let sb: OvnDatabase;
let cluster: Cluster;
let reconcile: FunctionProcess;

beforeAll(async () => {
  build();
  [nb, sb, cluster] = await Promise.all([OvnDatabase.start('nb'), OvnDatabase.start('sb'), Cluster.start()]);
  const kubeconfig = join(directory, 'kubeconfig');
  writeFileSync(kubeconfig, cluster.kubeconfig);
  reconcile = await FunctionProcess.start({
    FUNC_STEP: 'reconcile',
    OVN_NB_REMOTE: nb.remote,
    OVN_SB_REMOTE: sb.remote,
    KUBECONFIG: kubeconfig,
  });
}, 60_000);
afterAll(async () => {
  await Promise.all([reconcile, nb, sb, cluster].map((part) => part?.[Symbol.asyncDispose]()));
  rmSync(directory, { recursive: true });
});

test('reconcile does what the function that gave an event up did not, for the VM of that event alone', async () => {
  addChassis(sb, 'chassis-a', 'worker-a', '10.0.0.1');
  addChassis(sb, 'chassis-b', 'worker-b', '10.0.0.2');
  addPort(nb, 'web-01.prod');
  await cluster.createVm();
  const migration = await cluster.migrate('move');
  await migration.createTarget([PORT_GATE, DUAL_GATE]);

  const answered = reconcile.send(migration.vmim, GIVEN_UP);
  while (((await cluster.pod(migration.target)).spec?.schedulingGates ?? []).length > 0) await sleep(20);
  await migration.schedule('worker-b');
  const answer = await answered;
  expect(answer.status).toBe(200);
  expect(answer.headers.get('ce-type')).toBe('dev.ovn-handover.reconciled');
  expect(JSON.parse(answer.body)).toMatchObject({
    looked: 1,
    changed: [
      {
        vmi: { name: 'web-01' },
        ungatedPods: [migration.target],
        ports: [
          { rule: '3d', binding: 'pinned' },
          { rule: '3b', binding: 'dual' },
        ],
      },
    ],
  });
  expect(mapOf(nb, 'web-01.prod', 'options')).toMatchObject({ 'requested-chassis': 'chassis-a,chassis-b' });
  expect((await reconcile.send(migration.vmim, GIVEN_UP)).status).toBe(204);
});

test('an event of 1.2 MiB that another function gave up is taken', async () => {
  const spec = { vmiName: 'web-01', notes: 'x'.repeat(1_200_000) };
  expect((await reconcile.send({ ...(await cluster.migrate('large')).vmim, spec }, GIVEN_UP)).status).toBe(204);
});

test('what was rejected as malformed is rejected again, and nothing is swept', async () => {
  const before = nb.dump();
  const answer = await reconcile.send({ apiVersion: 'v1', kind: 'Pod' }, { ...GIVEN_UP, 'ce-knativeerrorcode': '422' });
  expect(answer).toMatchObject({ status: 422, body: expect.stringContaining('/data/metadata') });
  const foreign = await reconcile.post('{}', { ...HEADERS, 'ce-type': 'com.example.order' });
  expect(foreign).toMatchObject({ status: 422, body: expect.stringContaining('dev.knative.sources.ping') });
  expect(nb.dump()).toBe(before);
});
