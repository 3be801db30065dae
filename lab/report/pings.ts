import * as Plot from '@observablehq/plot';
import type { PingSample } from '../migrate/result.ts';
import { draw, FONT_SIZE, type Frame, type Panel, xOf } from './canvas.ts';
import { fitting } from './labels.ts';
import type { Stretch } from './story.ts';

/** Every ping at the moment when it was sent: its round trip, or a stroke at the top when it got no answer. */
export function pingPanel(
  pings: readonly PingSample[],
  frame: Frame,
  { silence, height, dot }: { silence: Stretch; height: number; dot: number },
): Panel {
  const shown = pings.filter(([sentAt]) => sentAt >= frame.span.from && sentAt <= frame.span.to);
  const measuredTo = Math.min(frame.span.to, pings.at(-1)?.[0] ?? frame.span.to);
  const slowest = Math.max(100, ...shown.map(([, rtt]) => rtt ?? 0));
  const lost = { y1: slowest * 2, y2: slowest * 5 };
  const ticks = [1, 10, 100, 1_000].filter((rtt) => rtt <= slowest);
  return draw(frame, {
    height,
    signs: ['silence', 'ping', ...(shown.some(([, rtt]) => rtt === null) ? (['lost'] as const) : [])],
    marginTop: 18,
    y: { type: 'log', domain: [0.2, lost.y2], axis: null },
    marks: [
      Plot.rectX([silence], { x1: 'from', x2: 'to', fill: 'var(--tint)' }),
      Plot.ruleY(ticks, { x1: frame.span.from, x2: measuredTo, stroke: 'var(--line)' }),
      axisText(
        ticks,
        (rtt) => rtt,
        (rtt) => (rtt < 1_000 ? `${rtt} ms` : `${rtt / 1_000} s`),
      ),
      axisText(
        shown.some(([, rtt]) => rtt === null) ? [Math.sqrt(lost.y1 * lost.y2)] : [],
        (y) => y,
        () => 'lost',
      ),
      Plot.ruleX(
        shown.filter(([, rtt]) => rtt === null),
        { x: '0', ...lost, stroke: 'var(--alarm)', strokeWidth: 1.5 },
      ),
      dots(shown, dot),
      silenceText(silence, frame),
    ],
  });
}

/** How long the silence was, above it or above and beside it, wherever there is more room. */
function silenceText(silence: Stretch, frame: Frame): Plot.Markish {
  const [from, to] = [xOf(silence.from, frame), xOf(silence.to, frame)];
  const text = `${Math.round(silence.to - silence.from)} ms without an answer`;
  const isLeft = from > frame.width - to;
  const inside = fitting([text], to - from, FONT_SIZE) !== undefined;
  return Plot.text([text], {
    x: inside ? (silence.from + silence.to) / 2 : isLeft ? silence.to : silence.from,
    text: (words: string) => words,
    frameAnchor: 'top',
    textAnchor: inside ? 'middle' : isLeft ? 'end' : 'start',
    lineAnchor: 'bottom',
    dy: -4,
    fontSize: FONT_SIZE,
    fill: 'var(--ink)',
  });
}

/** One path for all dots: a line that breaks off after each point, with round ends. */
function dots(pings: readonly PingSample[], diameter: number): Plot.Markish {
  const points = pings.flatMap(([sentAt, rtt]) => [
    [sentAt, rtt ?? Number.NaN],
    [sentAt, Number.NaN],
  ]);
  return Plot.line(points, { stroke: 'var(--ink)', strokeWidth: diameter, strokeLinecap: 'round' });
}

function axisText<T>(data: readonly T[], y: (value: T) => number, text: (value: T) => string): Plot.Markish {
  return Plot.text(data, {
    y,
    text,
    frameAnchor: 'left',
    textAnchor: 'end',
    dx: -6,
    fontSize: FONT_SIZE - 1,
    fill: 'var(--faint)',
  });
}
