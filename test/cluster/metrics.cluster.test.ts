/** What kube-state-metrics itself tells of migrations on a real API server, by the config that we ship. */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { CustomObjectsApi } from '@kubernetes/client-node';
import type { VirtualMachineInstanceMigration } from '../../handover/decision/kubevirt.ts';
import { MOMENTS } from '../../handover/decision/migration-record.ts';
import { kubernetesClient } from '../../handover/kubernetes/client.ts';
import { httpsExchange } from '../../handover/kubernetes/http.ts';
import { Kubernetes } from '../../handover/kubernetes/kubernetes.ts';
import { goSources } from '../../lab/cluster/go-sources.ts';
import { dashboardQueries, metricsIn, readAlerts } from '../eventing/alerts/metrics.ts';
import { ApiServer } from './support/api-server.ts';
import { KubeStateMetrics } from './support/kube-state-metrics.ts';

jest.setTimeout(120_000);

/**
 * Of the dispatcher of a Kafka broker, which is not run here: names and labels are those of Knative's own guide for the move to
 * OpenTelemetry in 1.21.
 */
const OF_KAFKA = ['kn_eventing_dispatch_latency_ms_count', 'kn_eventing_dispatch_latency_ms_bucket'];

const at = (second: number) => `2026-11-30T10:00:0${second}.000Z`;

let server: ApiServer;
let metrics: KubeStateMetrics;

beforeAll(async () => {
  server = await ApiServer.start();
  metrics = await KubeStateMetrics.start(server.kubeconfig, dirname(server.kubeconfig));
});
afterAll(async () => {
  await metrics?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

/** Everything that it tells, once it tells a line of this. */
async function metricsWith(line: string): Promise<string[]> {
  for (const giveUpAt = Date.now() + 60_000; ; await sleep(500)) {
    const text = await metrics.metrics();
    if (text.includes(line)) return text.split('\n').map((each) => each.replace(/customresource_\w+="[^"]*",/g, ''));
    if (Date.now() > giveUpAt) throw new Error(`kube-state-metrics does not tell of ${line}: ${text}`);
  }
}

test('a migration is told of with what the functions have written onto it, and each query names what is told', async () => {
  const custom = server.config.makeApiClient(CustomObjectsApi);
  const kubevirt = { group: 'kubevirt.io', version: 'v1', namespace: 'default' };
  const object = (kind: string, name: string, annotations: Record<string, string>, spec: object) => ({
    apiVersion: 'kubevirt.io/v1',
    kind,
    metadata: { name, annotations },
    spec,
  });
  const vmis = { ...kubevirt, plural: 'virtualmachineinstances' };
  const allowed = { 'kubevirt.io/allow-pod-bridge-network-live-migration': '' };
  const spec = { domain: { devices: {} } };
  await custom.createNamespacedCustomObject({
    ...vmis,
    body: object('VirtualMachineInstance', 'web-01', allowed, spec),
  });
  await custom.createNamespacedCustomObject({ ...vmis, body: object('VirtualMachineInstance', 'web-02', {}, spec) });
  const vmims = { ...kubevirt, plural: 'virtualmachineinstancemigrations' };
  const migration = (name: string) => object('VirtualMachineInstanceMigration', name, {}, { vmiName: 'web-01' });
  await custom.createNamespacedCustomObject({ ...vmims, body: migration('migrate-1') });
  const vmim = (await custom.createNamespacedCustomObject({
    ...vmims,
    body: migration('migrate-2'),
  })) as VirtualMachineInstanceMigration;
  await server.kubectl(
    ...['-n', 'default', 'patch', 'vmim', 'migrate-2', '--subresource=status', '--type=merge'],
    ...['-p', '{"status":{"phase":"Running"}}'],
  );
  const kubernetes = new Kubernetes(kubernetesClient(httpsExchange('test', server.config)));
  await kubernetes.recordHistory({
    vmim,
    record: {
      pinned: { at: at(1), by: 'reuse-port', lateMs: 40 },
      dual: { at: at(2), by: 'enable-dual-chassis', lateMs: 1_250 },
      switched: { at: at(5) },
      warnings: [
        { reason: 'PortOverwritten', at: at(3) },
        { reason: 'ClaimMissed', at: at(4) },
      ],
    },
  });

  const lines = await metricsWith('ovn_handover_migration_warnings_info{');
  const own = 'migration="migrate-2",namespace="default"';
  expect(lines).toEqual(
    expect.arrayContaining([
      `ovn_handover_migration_phase{${own},phase="Running",vmi="web-01"} 1`,
      `ovn_handover_migration_phase{${own},phase="Scheduling",vmi="web-01"} 0`,
      `ovn_handover_migration_stage{${own},stage="switched",vmi="web-01"} 1`,
      `ovn_handover_migration_stage{${own},stage="released",vmi="web-01"} 0`,
      `ovn_handover_migration_margin_milliseconds{${own},vmi="web-01"} 3000`,
      `ovn_handover_migration_late_milliseconds{${own},vmi="web-01"} 1250`,
      `ovn_handover_migration_warnings_info{${own},vmi="web-01",warnings="ClaimMissed,PortOverwritten"} 1`,
      'ovn_handover_vmi_opted_in_info{namespace="default",value="",vmi="web-01"} 1',
      expect.stringMatching(
        /^ovn_handover_migration_created_timestamp_seconds\{migration="migrate-1",.*\} 1\.\d+e\+09$/,
      ),
    ]),
  );
  // Of a migration that no function has looked at, and of a VMI that asked for nothing, there is nothing of ours to tell.
  expect(lines.filter((line) => /migrate-1.*(stage|margin|warnings)|opted_in_info.*web-02/.test(line))).toEqual([]);
  const stages = lines.flatMap((line) => /^ovn_handover_migration_stage\{.*stage="(\w+)"/.exec(line)?.[1] ?? []);
  expect(stages.sort()).toEqual([...MOMENTS].sort());

  const exist = new Set(lines.flatMap((line) => /^# TYPE (\w+) /.exec(line)?.[1] ?? []));
  const filter = await goSources('knative-eventing', 'knative.dev/eventing/pkg/broker/filter');
  // OpenTelemetry's exporter for Prometheus writes a dot as _, and appends the unit; a histogram has these two.
  const histogram = /"(kn\.eventing\.dispatch\.duration)",\s[^)]*\)[^)]*WithUnit\("s"\)/.exec(
    await readFile(join(filter, 'filter_handler.go'), 'utf8'),
  );
  for (const suffix of ['count', 'bucket']) {
    if (histogram) exist.add(`${histogram[1]!.replaceAll('.', '_')}_seconds_${suffix}`);
  }
  const queries = [
    ...(await dashboardQueries()),
    ...(await readAlerts()).groups.flatMap(({ rules }) => rules.map(({ expr }) => expr)),
  ];
  const named = new Set(queries.flatMap(metricsIn));
  expect(named.size).toBe(9 + OF_KAFKA.length);
  expect([...named].filter((name) => !exist.has(name)).sort()).toEqual([...OF_KAFKA].sort());
});
