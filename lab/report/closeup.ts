import type { InterfaceResult, MigrationResult } from '../migrate/result.ts';
import { timeAxis } from './axis.ts';
import type { Frame } from './canvas.ts';
import type { Figure } from './figure.ts';
import { interfacePanels } from './interface.ts';
import type { Lane, Mark } from './lanes.ts';
import { ms } from './overview.ts';
import { bindingBands, isAtSwitch, openedAt, silence, worstInterface } from './story.ts';

/** How much is shown before the last answer and after the first one, ms. */
const SHOWN_MS = { before: 150, after: 300 };

/** The longest silence, where each ping can be told from the next: as a rule that of the switch. */
export function closeup(result: MigrationResult, width: number): Figure {
  const worst = worstInterface(result);
  const { from, to } = silence(worst);
  const frame: Frame = { width, span: { from: from - SHOWN_MS.before, to: to + SHOWN_MS.after } };
  const answers = showsSwitch(result) ? ` from ${result.from} and the first from ${result.to}` : ' and the next';
  return {
    id: `closeup-${width}`,
    title: `${closeupTitle(result)} of ${result.migration}`,
    description: `${ms(worst.outageMs)} pass between the last answer${answers}. The guest itself ran nowhere for ${result.guestBlackoutMs ?? 'an unknown number of'} ms.`,
    width,
    panels: [
      ...interfacePanels(result, frame, { height: 160, dot: 4, extra: (one) => [momentsLane(result, one, frame)] }),
      timeAxis(frame, {
        zeroAtMs: from,
        zero: showsSwitch(result) ? 'since the last answer from the source' : 'since the last answer',
      }),
    ],
  };
}

export function closeupTitle(result: MigrationResult): string {
  return showsSwitch(result) ? 'The switch, up close' : 'The longest silence, up close';
}

export function showsSwitch(result: MigrationResult): boolean {
  return isAtSwitch(result, SHOWN_MS);
}

function momentsLane(result: MigrationResult, one: InterfaceResult, { span }: Frame): Lane {
  const quiet = silence(one);
  const opened = openedAt(one);
  const binding = bindingBands(one).at(-1);
  const marks: Mark[] = [
    { atMs: quiet.from, text: 'last answer' },
    ...(result.switchedAtMs === undefined ? [] : [{ atMs: result.switchedAtMs, text: `guest runs on ${result.to}` }]),
    ...(opened === undefined ? [] : [{ atMs: opened, text: 'RARP opens the port' }]),
    { atMs: quiet.to, text: 'first answer' },
    ...(binding === undefined ? [] : [{ atMs: binding.from, text: binding.labels[0] ?? '' }]),
  ];
  return { name: 'Moments', marks: marks.filter(({ atMs }) => atMs >= span.from && atMs <= span.to) };
}
