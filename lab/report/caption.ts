import * as Plot from '@observablehq/plot';
import { FONT_SIZE, type Frame, MARGIN } from './canvas.ts';
import { fitting, widthOf } from './labels.ts';

/** A line above what it names: the name at the left, and at the right what is to be said of it if there is room. */
export interface Caption {
  readonly name: string;
  /** The same in more and in less words. */
  readonly details: readonly string[];
  /** Where its middle is, px from the panel's top. */
  readonly y: number;
}

export function captions(list: readonly Caption[], { width }: Frame): Plot.Markish[] {
  const detail = ({ name, details }: Caption) =>
    fitting(details, width - MARGIN.right - widthOf(name, FONT_SIZE, { bold: true }), FONT_SIZE);
  const text = { y: 'y', fontSize: FONT_SIZE };
  return [
    Plot.text(list, {
      ...text,
      text: 'name',
      frameAnchor: 'left',
      textAnchor: 'start',
      dx: -MARGIN.left,
      fontWeight: 600,
      fill: 'var(--ink)',
    }),
    Plot.text(
      list.filter((one) => detail(one) !== undefined),
      { ...text, text: detail, frameAnchor: 'right', textAnchor: 'end', fill: 'var(--faint)' },
    ),
  ];
}
