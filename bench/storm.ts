/** Many VMs that migrate at once: how late the functions are, and whether every port ends right. */
import { Command } from 'commander';
import { build } from '../testkit/function-process.ts';
import { Cloud, type Delivery, portOf } from './cloud/cloud.ts';
import type { CloudVm } from './cloud/cloud-vm.ts';
import { metricsOf } from './cloud/functions.ts';
import type { Benchmark } from './harness/benchmark.ts';
import { positive } from './harness/options.ts';
import { residentMb } from './harness/process.ts';

export default {
  command: new Command('storm')
    .description('many VMs migrate at once, one replica of each function, OVN northbound in raft of three')
    .option('--vms <n>', 'how many', positive, 1_000),
  async run({ vms }: { vms: number }, progress) {
    progress('building the functions');
    build();
    await using cloud = await Cloud.start(vms, progress);
    progress(`creating ${vms} VMs`);
    for (const vm of cloud.vms) await vm.create();
    progress('all of them migrate');
    const migrations = await Promise.all(cloud.vms.map((vm) => migrate(vm, cloud)));
    progress('waiting until every event is answered');
    const deliveries = await cloud.deliveries();
    const waits = migrations.map(waitsOf);
    const sinceEvent = migrations.map((migration, index) => dualAfterEvent(migration, cloud.vms[index]!, deliveries));
    const lost = deliveries.filter(({ statuses }) => statuses.at(-1)! >= 300);
    const wrong = cloud.vms.filter((vm) => cloud.requested.get(portOf(vm)) !== 'chassis-b');
    const functions = cloud.functions();
    const cpu = Object.entries(cloud.cpu()).map(([part, ms]) => `${part} ${(ms / 1_000).toFixed(0)}`);
    const metrics = await Promise.all(functions.map(metricsOf));
    const delays = (name: string) =>
      metrics.map((one) => (one.get(`nodejs_eventloop_lag_${name}_seconds`) ?? Number.NaN) * 1e3);
    return {
      setup: {
        functions: functions.map(({ step }) => step).join(', '),
        'CPU, s': cpu.join(', '),
        'events delivered': deliveries.length,
        'answered 5xx at first': deliveries.filter(({ statuses }) => statuses.some((status) => status >= 500)).length,
        'not brought to success': lost.map(({ event }) => event).join('; ') || 'none',
      },
      series: [
        { name: 'from VMIM to both gates open', unit: 'ms', values: waits.map(({ ungated }) => ungated) },
        { name: 'from nodeName to dual', unit: 'ms', values: waits.map(({ dual }) => dual) },
        { name: 'from the event of it to dual', unit: 'ms', values: sinceEvent },
        { name: 'from switch to pinned', unit: 'ms', values: waits.map(({ pinned }) => pinned) },
        { name: 'event loop delay of each function, p99', unit: 'ms', values: delays('p99') },
        { name: 'event loop delay of each function, longest', unit: 'ms', values: delays('max') },
        { name: 'memory of each function', unit: 'MB', values: functions.map(({ pid }) => residentMb(pid)) },
      ],
      limits: [
        { what: 'latest dual after its event, ms', value: Math.max(...sinceEvent), atMost: 10_000 },
        { what: 'ports that did not end pinned to the target', value: wrong.length, atMost: 0 },
        { what: 'events that no retry brought to success', value: lost.length, atMost: 0 },
      ],
    };
  },
} satisfies Benchmark;

/** When each part of a migration was over, ms since the epoch. */
export interface Migration {
  readonly started: number;
  readonly ungated: number;
  readonly scheduled: number;
  readonly dual: number;
  readonly switched: number;
  readonly pinned: number;
}

/** KubeVirt's way through one migration, which waits for the functions at the gate, and here also before memory is copied. */
export async function migrate(vm: CloudVm, { ungated, requested }: Cloud): Promise<Migration> {
  const started = Date.now();
  await vm.migrate();
  const free = await ungated.until(vm.target, (isFree) => isFree);
  await vm.schedule();
  const scheduled = Date.now();
  const dual = await requested.until(portOf(vm), (chassis) => chassis === 'chassis-a,chassis-b');
  await vm.copy();
  await vm.switch();
  const switched = Date.now();
  const pinned = await requested.until(portOf(vm), (chassis) => chassis === 'chassis-b');
  await vm.succeed();
  return { started, ungated: free, scheduled, dual, switched, pinned };
}

/** ms from what KubeVirt wrote to what it led to. */
export function waitsOf({ started, ungated, scheduled, dual, switched, pinned }: Migration) {
  return { ungated: ungated - started, dual: dual - scheduled, pinned: pinned - switched };
}

/** ms from the first event for enable-dual-chassis once the target's node was known; none where an earlier one sufficed. */
export function dualAfterEvent({ scheduled, dual }: Migration, vm: CloudVm, deliveries: readonly Delivery[]): number {
  const events = deliveries.filter(
    ({ step, object, sentAt }) =>
      step === 'enable-dual-chassis' && [vm.target, vm.migration].includes(object) && sentAt >= scheduled,
  );
  return Math.max(0, dual - Math.min(...events.map(({ sentAt }) => sentAt)));
}
