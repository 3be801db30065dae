import * as Plot from '@observablehq/plot';
import { draw, FONT_SIZE, type Frame, MARGIN, type Panel, xOf } from './canvas.ts';
import { widthOf } from './labels.ts';

const STEPS_MS = [10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000];
const HEIGHT = 34;

/** The time axis below the panels of a figure, with what its zero is. */
export function timeAxis(frame: Frame, { zeroAtMs, zero }: { zeroAtMs: number; zero: string }): Panel {
  const { from, to } = frame.span;
  const inSeconds = to - from > 2_000;
  const text = (atMs: number) => {
    const ms = Math.round(atMs - zeroAtMs);
    return inSeconds ? `${ms / 1_000} s` : `${ms} ms`;
  };
  const room = widthOf('−1000 ms', FONT_SIZE);
  const step = STEPS_MS.find((ms) => xOf(from + ms, frame) - MARGIN.left > room) ?? to - from;
  const first = Math.ceil((from - zeroAtMs) / step) * step + zeroAtMs;
  const ticks = [];
  for (let at = first; at <= to && xOf(at, frame) < frame.width - MARGIN.right - room / 3; at += step) ticks.push(at);
  return draw(frame, {
    height: HEIGHT,
    y: { type: 'identity', axis: null },
    marks: [
      Plot.ruleY([1], { stroke: 'var(--faint)' }),
      Plot.ruleX(ticks, { y1: 1, y2: 5, stroke: 'var(--faint)' }),
      Plot.text(ticks, { x: (at: number) => at, y: 13, text, fontSize: FONT_SIZE - 1, fill: 'var(--faint)' }),
      Plot.text([zero], {
        y: 28,
        text: (words: string) => words,
        frameAnchor: 'right',
        textAnchor: 'end',
        fontSize: FONT_SIZE - 1,
        fill: 'var(--faint)',
      }),
    ],
  });
}
