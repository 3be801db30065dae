import { bindingStory, type FunctionResult, type MigrationResult } from '../migrate/result.ts';
import { timeAxis } from './axis.ts';
import type { Frame } from './canvas.ts';
import type { Figure } from './figure.ts';
import { interfacePanels } from './interface.ts';
import { type Lane, lanesPanel } from './lanes.ts';
import { gateBands, measured, silence, worstInterface } from './story.ts';

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
      lanesPanel([kubevirtLane(result), ...gateLanes(result), ...functionLanes(result)], frame, quiet),
      timeAxis(frame, { zeroAtMs: 0, zero: 'since the VMIM was created' }),
    ],
  };
}

function kubevirtLane({ phases }: MigrationResult): Lane {
  const marks = phases.flatMap(({ atMs, phase }) => (phase === undefined ? [] : [{ atMs, text: phase }]));
  return { name: 'KubeVirt', details: ['phases of the VMIM'], marks };
}

/** How the scheduling gates held the target pod, if they did. */
function gateLanes(result: MigrationResult): Lane[] {
  const bands = gateBands(result);
  if (bands.length === 0) return [];
  const openedAtMs = bands.find(({ tone }) => tone !== 'held')?.from;
  const until = openedAtMs === undefined ? 'never taken off' : `off at ${seconds(openedAtMs)}`;
  return [{ name: 'Gates of the target pod', details: [`${bands[0]?.labels[0]}, ${until}`, until], bands }];
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
  return [{ name: 'Functions' }, ...lanes];
}

/** How it started and what it answered, in more and in less words. */
function answersInWords({ coldStarts, answers }: FunctionResult): string[] {
  const cold = coldStarts.map((start) => `cold start ${seconds(start.ms)}`);
  const counts = Object.entries(answers).map(([status, count]) => `${count} × ${status}`);
  return [[...cold, ...counts].join(', '), counts.join(', ')];
}

function seconds(value: number): string {
  return `${(value / 1000).toFixed(1)} s`;
}

export function ms(value: number): string {
  return `${Math.round(value)} ms`;
}
