import type { VmiReference } from '../../handover/decision/kubevirt.ts';
import type { Log } from '../../handover/kubernetes/log.ts';
import type { World } from '../../handover/observe.ts';
import { reconcile } from '../../handover/reconcile.ts';
import { changedIn } from '../../handover/reply.ts';
import type { ReconcileRequest } from '../../handover/request.ts';
import { requestsFor, resync as sweep } from '../../handover/resync.ts';
import type { Reconciled } from '../../schemas/generated/reconciled.js';
import type { WorldOfMany } from '../cluster/session.ts';
import type { Command } from '../command.ts';
import { EXIT, type ExitStatus } from '../errors.ts';
import type { Terminal } from '../output/terminal.ts';
import { indent, paragraph } from '../output/wrap.ts';
import { forEach, lookAt, nameOf } from '../status/look.ts';
import { changeLine, releaseLine } from '../status/vm-status.ts';
import { vmNamed } from '../status/vms.ts';

const MAX_CONCURRENT_LOOKS = 2;

/** What a sweep would do, by VM. */
interface DryRun {
  readonly looked: number;
  readonly would: readonly { readonly vmi: VmiReference; readonly lines: readonly string[] }[];
  readonly failed: readonly (VmiReference & { readonly why: string })[];
}

/** The sweep that `reconcile` makes every two minutes, now: shown, or with `write` made. */
export async function resync(
  { session, terminal, output }: Command,
  vm: string | undefined,
  { write }: { readonly write: boolean },
): Promise<ExitStatus> {
  const world = await session.world();
  const vmi = vm === undefined ? undefined : vmNamed(vm, session.namespace);
  const result = write ? await written(world, vmi, terminal) : await dryRun(world, vmi);
  if (output === 'json') terminal.print(JSON.stringify(result, undefined, 2));
  else terminal.print('would' in result ? dryRunText(result, terminal) : writtenText(result, terminal));
  return result.failed.length > 0 || ('would' in result && result.would.length > 0) ? EXIT.found : EXIT.ok;
}

async function dryRun(world: WorldOfMany, vmi: VmiReference | undefined): Promise<DryRun> {
  const requests: readonly ReconcileRequest[] = vmi ? [{ vmi }] : await requestsFor(world);
  // Where the others' ports are, their records tell.
  await world.northbound.locate(requests.filter(({ recorded }) => recorded === undefined).map(({ vmi }) => vmi));
  const failed: (VmiReference & { why: string })[] = [];
  const would = await forEach(requests, MAX_CONCURRENT_LOOKS, async (request) => {
    try {
      const { plan } = await lookAt(request, world);
      const lines = [...plan.changes.map(changeLine), ...plan.ungate.map(releaseLine)];
      return { vmi: request.vmi, lines };
    } catch (error) {
      failed.push({ ...request.vmi, why: (error as Error).message });
      return { vmi: request.vmi, lines: [] };
    }
  });
  return { looked: requests.length, would: would.filter(({ lines }) => lines.length > 0), failed };
}

async function written(world: World, vmi: VmiReference | undefined, terminal: Terminal): Promise<Reconciled> {
  const log = logTo(terminal);
  if (vmi === undefined) return await sweep(world, log);
  try {
    const changed = changedIn(await reconcile('reconcile', { vmi }, world, log));
    return { looked: 1, changed: changed ? [changed] : [], failed: [] };
  } catch (error) {
    return { looked: 1, changed: [], failed: [{ ...vmi, why: (error as Error).message }] };
  }
}

/** What a function logs, as progress. */
export function logTo(terminal: Terminal): Log {
  const progress = (_fields: object, message: string) => terminal.progress(message);
  return { debug() {}, info: progress, warn: progress, error: progress };
}

function dryRunText({ looked, would, failed }: DryRun, terminal: Terminal): string {
  const lines = would.flatMap(({ vmi, lines }) => [
    nameOf(vmi),
    ...lines.map((line) => indent(line, '  ', terminal.columns)),
  ]);
  const end = would.length > 0 ? ', and nothing was written: --write does it' : '';
  return [
    ...lines,
    ...failedLines(failed, terminal),
    paragraph(
      `Looked at ${looked} VMs, would change ${would.length}, failed on ${failed.length}${end}.`,
      terminal.columns,
    ),
  ].join('\n');
}

function writtenText({ looked, changed, failed }: Reconciled, terminal: Terminal): string {
  const lines = changed.flatMap(({ vmi, ports, ungatedPods = [] }) => [
    nameOf(vmi),
    ...ports.map(({ name, binding, requestedChassis, rule }) =>
      indent(
        `port ${name}: ${binding}${requestedChassis ? ` ${requestedChassis}` : ''} (rule ${rule})`,
        '  ',
        terminal.columns,
      ),
    ),
    ...ungatedPods.map((pod) => indent(`pod ${pod}: goes to the scheduler`, '  ', terminal.columns)),
  ]);
  return [
    ...lines,
    ...failedLines(failed, terminal),
    `Looked at ${looked} VMs, changed ${changed.length}, failed on ${failed.length}.`,
  ].join('\n');
}

function failedLines(failed: DryRun['failed'], terminal: Terminal): string[] {
  return failed.map((each) => paragraph(`${nameOf(each)}: ${each.why}`, terminal.columns));
}
