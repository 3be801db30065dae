/**
 * Each alert fires where its fault is made: the functions' own code on a real API server, what kube-state-metrics tells of
 * that, and Prometheus' own word. OVN alone is the explorer's model.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { stringify } from 'yaml';
import { clientOf } from '../../explore/model/client.ts';
import { Northbound as NorthboundModel } from '../../explore/model/northbound.ts';
import { Southbound as SouthboundModel } from '../../explore/model/southbound.ts';
import type { FunctionName } from '../../handover/decision/desired.ts';
import { profileOf } from '../../handover/decision/profile.ts';
import { kubernetesClient } from '../../handover/kubernetes/client.ts';
import { httpsExchange } from '../../handover/kubernetes/http.ts';
import { Kubernetes } from '../../handover/kubernetes/kubernetes.ts';
import { Northbound } from '../../handover/ovn/northbound.ts';
import { Southbound } from '../../handover/ovn/southbound.ts';
import { reconcile } from '../../handover/reconcile.ts';
import type { EventOrigin } from '../../handover/request.ts';
import { Background } from '../../lab/background.ts';
import { freePort } from '../../lab/free-port.ts';
import { Cluster } from '../../testkit/cluster.ts';
import type { Migration } from '../../testkit/kubevirt-vm.ts';
import { VMI } from '../../testkit/moments.ts';
import { readAlerts } from '../eventing/alerts/metrics.ts';
import { ApiServer } from './support/api-server.ts';
import { KubeStateMetrics } from './support/kube-state-metrics.ts';

jest.setTimeout(180_000);

const PROMETHEUS = fileURLToPath(new URL('../../lab/.cache/prometheus/usr/bin/prometheus', import.meta.url));
const GATES = ['ovn-handover.dev/port', 'ovn-handover.dev/dual'];
const ALLOW = { 'kubevirt.io/allow-pod-bridge-network-live-migration': 'true' };
const FIRES_WITHIN_MS = 60_000;

let server: ApiServer;
let cluster: Cluster;
let metrics: KubeStateMetrics;
let prometheus: Background;
let url: string;
const northbound = new NorthboundModel();
const southbound = new SouthboundModel();

beforeAll(async () => {
  server = await ApiServer.start();
  cluster = await Cluster.of(server.config.exportConfig(), async () => {});
  const directory = join(dirname(server.kubeconfig), 'prometheus');
  await mkdir(directory);
  metrics = await KubeStateMetrics.start(server.kubeconfig, directory);
  for (const node of ['worker-a', 'worker-b']) southbound.addChassis(`chassis-${node}`, node);
  await startPrometheus(directory);
});
afterAll(async () => {
  await prometheus?.stop(5_000);
  await metrics?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

/** With the rules that we ship, but that they wait seconds in place of minutes. */
async function startPrometheus(directory: string): Promise<void> {
  const { groups } = await readAlerts();
  const impatient = groups.map((group) => ({ ...group, rules: group.rules.map((rule) => ({ ...rule, for: '2s' })) }));
  await writeFile(join(directory, 'rules.yaml'), stringify({ groups: impatient }));
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: ['rules.yaml'],
    scrape_configs: [
      { job_name: 'kube-state-metrics', honor_labels: true, static_configs: [{ targets: [metrics.address] }] },
    ],
  };
  await writeFile(join(directory, 'prometheus.yaml'), stringify(config));
  const address = `127.0.0.1:${await freePort()}`;
  const args = [
    `--config.file=${join(directory, 'prometheus.yaml')}`,
    `--storage.tsdb.path=${join(directory, 'data')}`,
    `--web.listen-address=${address}`,
  ];
  prometheus = new Background({ file: PROMETHEUS, args, cwd: directory, env: {} }, join(directory, 'log'));
  url = `http://${address}/api/v1/alerts`;
}

/** A VM that has opted in, with a port in OVN if it is to have one, and its migration with a target at its gates. */
async function migrate(name: string, { hasPort }: { readonly hasPort: boolean }): Promise<Migration> {
  await cluster.createVm(name, ALLOW);
  if (hasPort) {
    const port = northbound.addPort(`${name}.${VMI.namespace}`, { pod: `${VMI.namespace}/${name}` });
    southbound.addBinding(port, undefined);
  }
  const migration = await cluster.migrate(`migrate-${name}`);
  await migration.createTarget(GATES);
  return migration;
}

async function call(name: FunctionName, vm: string, event?: Partial<EventOrigin>): Promise<void> {
  const profile = profileOf('kube-ovn', '');
  const world = {
    northbound: new Northbound(
      clientOf(async (operations) => northbound.transact(operations).results),
      profile,
    ),
    southbound: new Southbound(clientOf(async (operations) => southbound.transact(operations))),
    kubernetes: new Kubernetes(kubernetesClient(httpsExchange('test', server.config))),
    profile,
    activationStrategy: 'rarp',
    sleep: (ms: number) => sleep(ms),
  };
  const nothing = () => {};
  const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
  const origin = { id: '1', traceparent: undefined, givenUpBy: undefined, sentAt: Date.now(), showsSwitch: false };
  const request = { vmi: { namespace: VMI.namespace, name: vm }, event: { ...origin, ...event } };
  await reconcile(name, request, world, log);
}

/** `ALERT VM` of each that fires, once all that are wanted do. */
async function firing(wanted: readonly string[]): Promise<string[]> {
  interface Alert {
    readonly state: string;
    readonly labels: { readonly alertname: string; readonly vmi?: string };
  }
  for (const giveUpAt = Date.now() + FIRES_WITHIN_MS; ; await sleep(1_000)) {
    const answer = await fetch(url).then(
      (response) => response.json() as Promise<{ data: { alerts: Alert[] } }>,
      () => undefined,
    );
    const fires = (answer?.data.alerts ?? [])
      .filter(({ state }) => state === 'firing')
      .map(({ labels: { alertname, vmi = '' } }) => `${alertname} ${vmi}`.trim())
      .sort();
    if (wanted.every((one) => fires.includes(one)) || Date.now() > giveUpAt) return fires;
  }
}

test('each alert fires on the VM whose fault was made, and on no other', async () => {
  await migrate('gated', { hasPort: true });

  await migrate('portless', { hasPort: false });
  await call('reuse-port', 'portless');

  await migrate('unheard', { hasPort: true });
  await call('reconcile', 'unheard', { givenUpBy: 'http://reuse-port.ovn-handover.svc.cluster.local' });

  // Its gates were taken off by somebody else, and no function heard of it until the guest had switched.
  const late = await migrate('late', { hasPort: true });
  await cluster.core.patchNamespacedPod({
    name: late.target,
    namespace: VMI.namespace,
    body: [{ op: 'remove', path: '/spec/schedulingGates' }],
  });
  await late.schedule('worker-b');
  await late.handOff();
  await late.switch();
  await call('disable-dual-chassis', 'late');

  const good = await migrate('good', { hasPort: true });
  // The call stays with the target until it has a node, and records only then that it has let it go: in less than these alerts wait.
  const letGo = call('reconcile', 'good');
  while ((await cluster.pod(good.target)).spec?.schedulingGates?.length) await sleep(20);
  await good.schedule('worker-b');
  await letGo;
  await call('enable-dual-chassis', 'good');
  await good.handOff();
  await good.switch();
  await call('disable-dual-chassis', 'good');
  await good.succeed('worker-b');

  const wanted = [
    'OvnHandoverEventGivenUp unheard',
    'OvnHandoverNoPort portless',
    'OvnHandoverPortNotDualInTime late',
    // Nothing here is Knative, so no sweep has ever succeeded.
    'OvnHandoverSweepFailing',
    'OvnHandoverTargetGated gated',
  ];
  expect(await firing(wanted)).toEqual(wanted);
});
