import type { VmiReference } from '../../handover/decision/kubevirt.ts';
import type { World } from '../../handover/observe.ts';
import type { Command } from '../command.ts';
import { EXIT, type ExitStatus } from '../errors.ts';
import { ago } from '../output/ago.ts';
import { type Cell, NOTHING, table } from '../output/table.ts';
import { paint, type Terminal } from '../output/terminal.ts';
import { indent } from '../output/wrap.ts';
import { forEach, lookAt, nameOf } from './look.ts';
import { statusOf, type VmStatus } from './vm-status.ts';
import { vmNamed, vmsOf } from './vms.ts';

/** Enough to hide the round trips, too few to crowd the API server. */
const MAX_CONCURRENT_LOOKS = 8;

/** Shows each VM that opted in: where it is, how its ports are bound, and whether they are as they should be. */
export async function status({ session, terminal, output }: Command, vm?: string): Promise<ExitStatus> {
  const world = await session.world();
  const vms = vm === undefined ? await vmsOf(session.api, world) : [vmNamed(vm, session.namespace)];
  await world.northbound.locate(vms);
  const all = await forEach(vms, MAX_CONCURRENT_LOOKS, (vmi) => statusAt(vmi, world));
  if (output === 'json') terminal.print(JSON.stringify({ vms: all }, undefined, 2));
  else terminal.print(statusText(all, terminal, Date.now()));
  return all.every(({ isRight }) => isRight) ? EXIT.ok : EXIT.found;
}

async function statusAt(vmi: VmiReference, world: World): Promise<VmStatus> {
  try {
    return statusOf(await lookAt({ vmi }, world));
  } catch (error) {
    const problems = [(error as Error).message];
    return { vmi, optedIn: false, gates: [], ports: [], isRight: false, problems };
  }
}

const HEADINGS = ['VM', 'NODE', 'PORT', 'BINDING', 'MIGRATION', 'SINCE', 'GATES', 'RULE', 'RIGHT'];

function statusText(all: readonly VmStatus[], terminal: Terminal, now: number): string {
  if (all.length === 0) return 'No VM has opted in (docs/guide.md, "The first migration").';
  const rows = all.flatMap((vm) => rowsOf(vm, now));
  const problems = all
    .filter(({ isRight }) => !isRight)
    .flatMap((vm) => [
      '',
      paint(terminal, 'yellow', nameOf(vm.vmi)),
      ...vm.problems.map((problem) => indent(problem, '  ', terminal.columns)),
    ]);
  return [table(HEADINGS, rows, terminal), ...problems].join('\n');
}

function rowsOf(vm: VmStatus, now: number): Cell[][] {
  const node = [vm.node ?? NOTHING, ...(vm.targetNode ? [`→ ${vm.targetNode}`] : [])].join(' ');
  const ports = vm.ports.length > 0 ? vm.ports : [undefined];
  return ports.map((port, index) => {
    const first = index === 0;
    const isRight = first ? vm.isRight : port?.wouldWrite === undefined;
    return [
      { text: first ? nameOf(vm.vmi) : '' },
      { text: first ? node : '' },
      { text: port?.name ?? NOTHING },
      { text: port?.binding ?? NOTHING },
      { text: first ? (vm.migration ?? NOTHING) : '' },
      { text: port?.since ? ago(port.since, now) : NOTHING },
      { text: first ? vm.gates.map((gate) => gate.split('/')[1]).join(' ') || NOTHING : '' },
      { text: port?.rule ?? NOTHING },
      { text: isRight ? 'yes' : 'no', colour: isRight ? 'green' : 'red' },
    ];
  });
}
