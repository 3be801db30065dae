/**
 * From the POST of an event to the commit, as an observer of OVN northbound sees it: `enable-dual-chassis` warm, in turns
 * with a script that does the same.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Command } from 'commander';
import { build, FunctionProcess } from '../testkit/function-process.ts';
import { VMI } from '../testkit/moments.ts';
import { Installation } from './cloud/installation.ts';
import { MigratingVm, PORT } from './cloud/migrating-vm.ts';
import type { Benchmark } from './harness/benchmark.ts';
import { positive } from './harness/options.ts';
import { median, quantile } from './harness/statistics.ts';

const SCRIPT = join(import.meta.dirname, 'event-to-commit/by-hand.sh');
const EVENTS_PER_TURN = 10;
const WARM_UP_EVENTS = 50;

export default {
  command: new Command('event-to-commit')
    .description('from the POST of an event to its commit, beside a script with curl and ovn-nbctl (needs curl and jq)')
    .option('--turns <n>', `one run of the script and ${EVENTS_PER_TURN} events each`, positive, 50),
  async run({ turns }: { turns: number }, progress) {
    progress('building the functions');
    build();
    progress('starting OVN NB and SB with TLS, and the Kubernetes API');
    await using installation = await Installation.start();
    await using vm = await MigratingVm.create(installation);
    await using enableDual = await FunctionProcess.start(installation.settings('enable-dual-chassis'));
    const step = await vm.until('enable-dual-chassis', async (earlier) => {
      await using process = await FunctionProcess.start(installation.settings(earlier.function));
      await process.send(earlier.event, { 'ce-type': earlier.type });
    });
    const byEvent = () => vm.commit(() => enableDual.send(step.hinted));
    const byHand = () => vm.commit(() => script(installation));

    progress(`warming up with ${WARM_UP_EVENTS} events`);
    for (let event = 0; event < WARM_UP_EVENTS; event++) await byEvent();
    const events: number[] = [];
    const scripts: number[] = [];
    for (let turn = 1; turn <= turns; turn++) {
      if (turn % 10 === 1) progress(`turn ${turn} of ${turns}`);
      scripts.push(await byHand());
      for (let event = 0; event < EVENTS_PER_TURN; event++) events.push(await byEvent());
    }
    return {
      series: [
        { name: 'enable-dual-chassis, warm', unit: 'ms', values: events },
        { name: 'script with curl and ovn-nbctl', unit: 'ms', values: scripts },
      ],
      limits: [
        { what: 'p50, ms', value: median(events), atMost: 15 },
        { what: 'p99, ms', value: quantile(events, 0.99), atMost: 50 },
        { what: 'p50, x script', value: median(events) / median(scripts), atMost: 0.2 },
      ],
    };
  },
} satisfies Benchmark;

async function script({ cluster, kubernetesCa, remotes, tls }: Installation): Promise<void> {
  const { server } = cluster.config.getCurrentCluster()!;
  await promisify(execFile)(SCRIPT, {
    env: {
      ...{ PATH: process.env.PATH, API: server, API_CA: kubernetesCa, TOKEN: cluster.config.getCurrentUser()!.token },
      ...{ NB: remotes.nb, SB: remotes.sb, CERT: tls.cert, KEY: tls.key, CA: tls.ca },
      ...{ NAMESPACE: VMI.namespace, VMI: VMI.name, PORT },
    },
  });
}
