import { bindingStory, type FunctionResult, type MigrationResult } from '../migrate/result.ts';
import { timeAxis } from './axis.ts';
import type { Figure, Frame } from './canvas.ts';
import { interfacePanels } from './interface.ts';
import { type Lane, lanesPanel } from './lanes.ts';
import { measured, silence, worstInterface } from './story.ts';

/** A whole migration: the client's pings, then what everybody did to the ports and the guest meanwhile. */
export function overview(result: MigrationResult, width: number): Figure {
  const worst = worstInterface(result);
  const frame: Frame = { width, span: measured(worst) };
  const quiet = silence(worst);
  return {
    id: `overview-${width}`,
    title: `The whole migration ${result.migration}`,
    description: `Round trips of ${worst.pings.length} pings over ${seconds(frame.span.to)}. The longest silence, ${ms(worst.outageMs)}, begins at ${seconds(quiet.from)}. The port's binding went ${bindingStory(worst).join(', ')}.`,
    width,
    panels: [
      ...interfacePanels(result, frame, { height: 148, dot: 2.2 }),
      lanesPanel([kubevirtLane(result), ...functionLanes(result)], frame, quiet),
      timeAxis(frame, { zeroAtMs: 0, zero: 'since the VMIM was created' }),
    ],
  };
}

function kubevirtLane({ phases }: MigrationResult): Lane {
  const marks = phases.flatMap(({ atMs, phase }) =>
    phase === undefined ? [] : [{ atMs, text: phase, tone: 'faint' as const }],
  );
  return { name: 'KubeVirt', details: ['phases of the VMIM'], marks };
}

/** In the order in which they changed the port. */
function functionLanes({ functions }: MigrationResult): Lane[] {
  const wroteAt = ({ deliveries }: FunctionResult) =>
    deliveries.find(([, status]) => status === 200)?.[0] ?? Number.POSITIVE_INFINITY;
  const ordered = Object.entries(functions).sort(([, a], [, b]) => wroteAt(a) - wroteAt(b));
  if (ordered.length === 0) return [];
  const lanes = ordered.map(
    ([name, result]): Lane => ({
      name,
      details: answersInWords(result),
      bands: result.coldStarts.map(({ atMs, ms }) => ({
        from: Math.max(0, atMs - ms),
        to: atMs,
        tone: 'function',
        labels: ['cold start', 'cold'],
      })),
      marks: result.deliveries.map(([atMs, status]) => ({
        atMs,
        tone: status < 300 ? ('function' as const) : ('alarm' as const),
        dot: status !== 204,
      })),
    }),
  );
  return [{ name: 'Functions', details: ['● changed the port   | nothing to do', '● changed the port'] }, ...lanes];
}

/** How it started and what it answered, in more and in less words. */
function answersInWords({ coldStarts, answers }: FunctionResult): string[] {
  const cold = coldStarts.map((start) => `cold start ${seconds(start.ms)}`);
  const counts = Object.entries(answers).map(([status, count]) => `${count} × ${status}`);
  return [[...cold, ...counts].join(', '), counts.join(', ')];
}

export function seconds(value: number): string {
  return `${(value / 1000).toFixed(1)} s`;
}

export function ms(value: number): string {
  return `${Math.round(value)} ms`;
}
