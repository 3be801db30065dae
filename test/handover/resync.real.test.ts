import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { OvsdbClient } from 'ovsdb-client-ts';
import { DUAL_GATE, PORT_GATE } from '../../handover/decision/kubevirt.ts';
import { profileOf } from '../../handover/decision/profile.ts';
import { recordEntries } from '../../handover/decision/record.ts';
import { kubernetesClient } from '../../handover/kubernetes/client.ts';
import { httpsExchange } from '../../handover/kubernetes/http.ts';
import { Kubernetes } from '../../handover/kubernetes/kubernetes.ts';
import type { World } from '../../handover/observe.ts';
import { Northbound } from '../../handover/ovn/northbound.ts';
import { Southbound } from '../../handover/ovn/southbound.ts';
import { reconcile } from '../../handover/reconcile.ts';
import { resync } from '../../handover/resync.ts';
import { Cluster } from '../../testkit/cluster.ts';
import { addChassis, addPort, mapOf, OvnDatabase } from '../../testkit/ovn.ts';
import { PINNED } from './support/ports.ts';

const PORTS = ['web-01.prod', 'web-01.prod.added.prod.ovn'];
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

let nb: OvnDatabase;
let sb: OvnDatabase;
let cluster: Cluster;
let world: World;
let clients: OvsdbClient[];

beforeAll(async () => {
  [nb, sb, cluster] = await Promise.all([OvnDatabase.start('nb'), OvnDatabase.start('sb'), Cluster.start()]);
  clients = [nb, sb].map(({ remote, name }) => new OvsdbClient({ remote, database: name }));
  const profile = profileOf('kube-ovn', '');
  world = {
    northbound: new Northbound(clients[0]!, profile),
    southbound: new Southbound(clients[1]!),
    kubernetes: new Kubernetes(kubernetesClient(httpsExchange('test', cluster.config))),
    profile,
    activationStrategy: 'rarp',
    sleep,
  };
}, 30_000);
afterAll(async () => {
  await Promise.all((clients ?? []).map((client) => client.close()));
  await Promise.all([nb, sb, cluster].map((part) => part?.[Symbol.asyncDispose]()));
});

test('an interface that came after the last migration is handed over too in the next one, by a sweep alone', async () => {
  addChassis(sb, 'chassis-a', 'worker-a', '10.0.0.1');
  addChassis(sb, 'chassis-b', 'worker-b', '10.0.0.2');
  for (const name of PORTS) addPort(nb, name);
  const { uid } = (await cluster.createVm()).metadata;
  for (const [key, value] of Object.entries(recordEntries({ ...PINNED, vmi: uid }, new Date()))) {
    nb.ctl('set', 'Logical_Switch_Port', 'web-01.prod', `options:${key}="${value}"`);
  }
  const migration = await cluster.migrate('next');
  await migration.createTarget([PORT_GATE, DUAL_GATE]);

  const swept = resync(world, SILENT);
  while (((await cluster.pod(migration.target)).spec?.schedulingGates ?? []).length > 0) await sleep(20);
  for (const name of PORTS) expect(mapOf(nb, name, 'options')).toMatchObject({ 'requested-chassis': 'chassis-a' });
  await migration.schedule('worker-b');
  expect((await swept).failed).toEqual([]);
  for (const name of PORTS) {
    expect(mapOf(nb, name, 'options')).toMatchObject({ 'requested-chassis': 'chassis-a,chassis-b' });
  }
}, 20_000);

test('an event of the earlier target, which knows of fewer interfaces, does not hide the one that was added', async () => {
  const first = addPort(nb, 'web-02.prod', 'prod/web-02');
  addPort(nb, 'web-02.prod.added.prod.ovn', 'prod/web-02');
  await cluster.createVm('web-02');
  const migration = await cluster.migrate('second');
  await migration.createTarget([PORT_GATE, DUAL_GATE]);

  const vmi = { namespace: 'prod', name: 'web-02' };
  const { changes } = await reconcile('reuse-port', { vmi, hint: { ports: [first], bindings: [] } }, world, SILENT);
  expect(changes.map(({ port }) => port.name)).toEqual(['web-02.prod', 'web-02.prod.added.prod.ovn']);
  for (const name of ['web-02.prod', 'web-02.prod.added.prod.ovn']) {
    expect(mapOf(nb, name, 'options')).toMatchObject({ 'requested-chassis': 'chassis-a' });
  }
});
