import type { InterfaceResult, MigrationResult } from '../migrate/result.ts';
import { timeAxis } from './axis.ts';
import type { Figure, Frame } from './canvas.ts';
import { interfacePanels } from './interface.ts';
import type { Lane, Mark } from './lanes.ts';
import { ms } from './overview.ts';
import { bindingBands, openedAt, silence, worstInterface } from './story.ts';

/** How much is shown before the last answer and after the first one, ms. */
const BEFORE_MS = 150;
const AFTER_MS = 300;

/** The moment of the switch, where each ping can be told from the next. */
export function closeup(result: MigrationResult, width: number): Figure {
  const worst = worstInterface(result);
  const { from, to } = silence(worst);
  const frame: Frame = { width, span: { from: from - BEFORE_MS, to: to + AFTER_MS } };
  return {
    id: `closeup-${width}`,
    title: `The switch of ${result.migration}, up close`,
    description: `${ms(worst.outageMs)} pass between the last answer from ${result.from} and the first from ${result.to}. The guest itself ran nowhere for ${result.guestBlackoutMs ?? 'an unknown number of'} ms.`,
    width,
    panels: [
      ...interfacePanels(result, frame, { height: 160, dot: 4, extra: (one) => [momentsLane(result, one, frame)] }),
      timeAxis(frame, { zeroAtMs: from, zero: 'since the last answer from the source' }),
    ],
  };
}

function momentsLane(result: MigrationResult, one: InterfaceResult, { span }: Frame): Lane {
  const quiet = silence(one);
  const opened = openedAt(one);
  const binding = bindingBands(one).at(-1);
  const marks: Mark[] = [
    { atMs: quiet.from, text: 'last answer', tone: 'alarm' },
    ...(result.switchedAtMs === undefined
      ? []
      : [{ atMs: result.switchedAtMs, text: `guest runs on ${result.to}`, tone: 'target' as const }]),
    ...(opened === undefined ? [] : [{ atMs: opened, text: 'RARP opens the port', tone: 'target' as const }]),
    { atMs: quiet.to, text: 'first answer', tone: 'alarm' },
    ...(binding === undefined ? [] : [{ atMs: binding.from, text: binding.labels[0] ?? '', tone: binding.tone }]),
  ];
  return { name: 'Moments', marks: marks.filter(({ atMs }) => atMs >= span.from && atMs <= span.to) };
}
