/** VMs that come, migrate and go, for an hour: whether anything grows. */
import { readdirSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { build } from '../testkit/function-process.ts';
import { Cloud, portOf } from './cloud/cloud.ts';
import type { CloudVm } from './cloud/cloud-vm.ts';
import type { Benchmark, Series } from './harness/benchmark.ts';
import { positive } from './harness/options.ts';
import { residentMb } from './harness/process.ts';
import { median } from './harness/statistics.ts';
import { migrate } from './storm.ts';

const VMS = 10;
const SAMPLES = 200;
const MB = 2 ** 20;

export interface Sample {
  readonly step: string;
  readonly residentMb: number;
  readonly handles: number;
}

export default {
  command: new Command('soak')
    .description(`${VMS} VMs come, migrate and go, again and again: memory, handles, size of the database`)
    .option('--minutes <n>', 'how long', positive, 60),
  async run({ minutes }: { minutes: number }, progress) {
    progress('building the functions');
    build();
    await using cloud = await Cloud.start(VMS, progress);
    const end = performance.now() + minutes * 60_000;
    progress(`VMs come and go for ${minutes} minutes`);
    let lives = 0;
    const all = Promise.all(
      cloud.vms.map(async (vm) => {
        for (; performance.now() < end; lives++) await live(vm, cloud);
      }),
    );
    const samples: Sample[] = [];
    const databaseMb: number[] = [];
    while (performance.now() < end) {
      await Promise.race([sleep((minutes * 60_000) / SAMPLES), all]);
      samples.push(...cloud.functions().map(sampleOf));
      databaseMb.push(size(cloud));
    }
    await all;
    const lost = (await cloud.deliveries()).filter(({ statuses }) => statuses.at(-1)! >= 300);
    const full = size(cloud);
    for (const member of cloud.nb.members) member.control('ovsdb-server/compact', 'OVN_Northbound');
    const byStep = [...Map.groupBy(samples, ({ step }) => step)].filter(([, of]) => of.length > SAMPLES / 2);
    return {
      setup: {
        'VMs that came, migrated and went': lives,
        'NB database': `${databaseMb[0]!.toFixed(1)} MB at first, ${full.toFixed(1)} MB in the end, ${size(cloud).toFixed(1)} MB compacted`,
      },
      series: [
        ...byStep.flatMap(([step, of]): Series[] => [
          { name: `${step}: memory`, unit: 'MB', values: of.map(({ residentMb }) => residentMb) },
          { name: `${step}: handles`, unit: '', values: of.map(({ handles }) => handles) },
        ]),
        { name: 'NB database, one member', unit: 'MB', values: databaseMb },
      ],
      limits: [
        ...byStep.flatMap(([step, of]) => [
          { what: `${step}: memory, x that after the first tenth`, value: growth(of, 'residentMb'), atMost: 1.1 },
          { what: `${step}: handles, x those after the first tenth`, value: growth(of, 'handles'), atMost: 1.1 },
        ]),
        { what: 'NB database compacted, x at first', value: size(cloud) / databaseMb[0]!, atMost: 1 },
        { what: 'events that no retry brought to success', value: lost.length, atMost: 0 },
      ],
    };
  },
} satisfies Benchmark;

async function live(vm: CloudVm, cloud: Cloud): Promise<void> {
  await vm.create();
  await migrate(vm, cloud);
  await vm.delete();
  await cloud.requested.until(portOf(vm), (chassis) => chassis === '');
  cloud.ungated.forget(vm.target);
}

function sampleOf({ step, pid }: { step: string; pid: number }): Sample {
  return { step, residentMb: residentMb(pid), handles: readdirSync(`/proc/${pid}/fd`).length };
}

/** The last tenth beside the second. */
export function growth(samples: readonly Sample[], figure: 'residentMb' | 'handles'): number {
  const tenth = Math.floor(samples.length / 10);
  const of = (part: readonly Sample[]) => median(part.map((sample) => sample[figure]));
  return of(samples.slice(-tenth)) / of(samples.slice(tenth, 2 * tenth));
}

function size(cloud: Cloud): number {
  return statSync(cloud.nb.files[0]!).size / MB;
}
