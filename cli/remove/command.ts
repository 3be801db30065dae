import { setTimeout as sleep } from 'node:timers/promises';
import type { World } from '../../handover/observe.ts';
import { reconcile } from '../../handover/reconcile.ts';
import type { ClusterApi } from '../cluster/api.ts';
import { readInstalled } from '../cluster/settings.ts';
import type { Command } from '../command.ts';
import { CommandError, EXIT, type ExitStatus } from '../errors.ts';
import type { Terminal } from '../output/terminal.ts';
import { beside, paragraph } from '../output/wrap.ts';
import { logTo } from '../resync/command.ts';
import { type Left, nextStep, type OwnObject, type Step } from './left.ts';
import { readLeft } from './read.ts';

const LOOK_EVERY_MS = 2_000;

export interface RemoveOptions {
  readonly yes: boolean;
  /** Leave OVN as it is. */
  readonly skipOvn: boolean;
  /** For how long it waits for what takes time by itself. */
  readonly timeout: number;
}

/** Takes the whole installation out of a cluster, in an order in which no VM loses its network. */
export async function remove(
  { session, terminal, output }: Command,
  { yes, skipOvn, timeout }: RemoveOptions,
): Promise<ExitStatus> {
  const { api } = session;
  const { settings } = await readInstalled(api);
  // Settings and certificates go last, so the way to OVN is found once.
  const world = settings && !skipOvn ? await session.world() : undefined;
  if (!yes) {
    const left = await readLeft(api, world);
    if (output === 'json') terminal.print(JSON.stringify(left, undefined, 2));
    else terminal.print(leftText(left, session.context, terminal));
    return EXIT.ok;
  }
  const giveUpAt = Date.now() + timeout * 1_000;
  const said = new Set<string>();
  for (;;) {
    const step = nextStep(await readLeft(api, world));
    if (step === undefined) break;
    if (step.do === 'give up') throw new CommandError(EXIT.found, step.what);
    const line =
      step.do === 'delete'
        ? `deleting ${step.what}`
        : step.do === 'clear annotations'
          ? `clearing ${step.what}`
          : `waiting for ${step.what}`;
    if (!said.has(line)) terminal.progress(line);
    said.add(line);
    await take(step, api, world, terminal);
    const waits = step.do === 'sweep' || step.do === 'wait';
    if (waits && Date.now() > giveUpAt) {
      const rest = `Not all is gone after ${timeout} s: it waits for ${step.what}. Run it again to go on.`;
      terminal.print(paragraph(rest, terminal.columns));
      return EXIT.unfinished;
    }
    if (waits) await sleep(Math.min(LOOK_EVERY_MS, Math.max(giveUpAt - Date.now(), 0)));
  }
  terminal.print(
    `Nothing of ovn-handover is left in the cluster${skipOvn ? '; OVN was not looked at' : ', or in OVN'}.`,
  );
  const wayBack = 'With Kube-OVN, give it its own way back: ENABLE_LIVE_MIGRATION_OPTIMIZE=true (docs/guide.md).';
  terminal.print(paragraph(wayBack, terminal.columns));
  return EXIT.ok;
}

async function take(step: Step, api: ClusterApi, world: World | undefined, terminal: Terminal): Promise<void> {
  if (step.do === 'delete') {
    for (const { kind, name, namespace } of step.objects) await api.delete(kind, name, namespace);
  }
  if (step.do === 'clear annotations') {
    for (const { kind, name, namespace, annotations } of step.objects) {
      const cleared = Object.fromEntries(annotations.map((key) => [key, null]));
      await api.patch(kind, name, namespace, { metadata: { annotations: cleared } });
    }
  }
  // By the functions' own code: they may be gone already, or out of order.
  if (step.do === 'sweep') {
    for (const vmi of step.vms) {
      await reconcile('reconcile', { vmi }, world!, logTo(terminal)).catch((error: Error) =>
        terminal.progress(`${vmi.namespace}/${vmi.name}: ${error.message}`),
      );
    }
  }
}

function leftText(left: Left, context: string, terminal: Terminal): string {
  const named = (objects: readonly Pick<OwnObject, 'name'>[]) =>
    [...new Set(objects.map(({ name }) => name))].join(', ') || 'none';
  const vms = (all: Left['migrating'] | undefined) =>
    all?.map(({ namespace, name }) => `${namespace}/${name}`).join(', ') || 'none';
  const lines = [
    ['scheduling gate', named(left.gates)],
    ['migrations waited for', vms(left.migrating)],
    ['VMs whose ports come to rest first', vms(left.recorded)],
    ['sources, Triggers and Broker', named(left.events)],
    ['functions', named(left.functions)],
    ['annotations of', named(left.annotated)],
    ['rights and policies', named(left.clusterObjects)],
    ['namespace', named(left.namespace)],
  ];
  return [
    paragraph(`From context ${context} this would go, in this order:`, terminal.columns),
    ...lines.map(([what, names]) => beside(`  ${what}: `, `${names}`, terminal.columns)),
    'Nothing was changed: --yes does it.',
  ].join('\n');
}
