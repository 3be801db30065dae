import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { Sign, Stretch } from './story.ts';

export const FONT_SIZE = 12;
export const MARGIN = { left: 50, right: 10 };

/** A drawing, to be put into a figure with others of the same width, one below the other. */
export interface Panel {
  readonly svg: string;
  readonly height: number;
  /** The signs in it, for the legend of its figure. */
  readonly signs?: readonly Sign[];
}

/** Sets apart what belongs to different things. */
export const GAP: Panel = { svg: '', height: 24 };

/** Width of a panel, and the time that it shows. */
export interface Frame {
  readonly width: number;
  readonly span: Stretch;
}

/** Where a moment lies in a panel, px from its left edge. */
export function xOf(atMs: number, { width, span }: Frame): number {
  return MARGIN.left + ((atMs - span.from) / (span.to - span.from)) * (width - MARGIN.left - MARGIN.right);
}

const { document } = parseHTML('<!doctype html><html><body></body></html>');

/** Draws marks over time; y is the caller's. */
export function draw(
  { width, span }: Frame,
  { signs = [], ...options }: Plot.PlotOptions & { height: number; signs?: readonly Sign[] },
): Panel {
  const svg = Plot.plot({
    document: document as unknown as NonNullable<Plot.PlotOptions['document']>,
    width,
    marginTop: 0,
    marginBottom: 0,
    marginLeft: MARGIN.left,
    marginRight: MARGIN.right,
    ...options,
    x: { domain: [span.from, span.to], axis: null, ...options.x },
  });
  // Plot's own style sheet makes one drawing fit a page; these are parts of a figure, which does that.
  svg.querySelector('style')?.remove();
  svg.removeAttribute('class');
  return { svg: rounded(svg.outerHTML), height: options.height, signs };
}

/** Text for HTML and XML. */
export function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A tenth of a pixel is enough, and half the bytes. */
function rounded(svg: string): string {
  return svg.replace(/-?\d+\.\d{2,}/g, (number) => String(Math.round(Number(number) * 10) / 10));
}
