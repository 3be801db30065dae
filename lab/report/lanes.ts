import * as Plot from '@observablehq/plot';
import { draw, FONT_SIZE, type Frame, MARGIN, type Panel, xOf } from './canvas.ts';
import { captions } from './caption.ts';
import { fitting, type Placed, placeInRows } from './labels.ts';
import type { Band, Sign, Stretch, Tone } from './story.ts';

/** Something at a moment: a stroke with its name beside it, or a stroke or a dot whose colour says what it is. */
export type Mark =
  | { readonly atMs: number; readonly text: string }
  | { readonly atMs: number; readonly tone: Tone; readonly dot?: boolean };

/** What one party does over time. */
export interface Lane {
  readonly name: string;
  /** The lane in words, in more and in less of them; beside the name if there is room. */
  readonly details?: readonly string[];
  readonly bands?: readonly Band[];
  readonly marks?: readonly Mark[];
}

const CAPTION = 22;
const BAND = 18;
const ROW = 16;
const GAP = 10;

interface Laid {
  readonly lane: Lane;
  /** Top of its strip. */
  readonly top: number;
  readonly texts: readonly Placed<{ x: number; text: string; atMs: number }>[];
  readonly height: number;
}

/** Draws lanes below each other; `silence` is tinted through all of them. */
export function lanesPanel(lanes: readonly Lane[], frame: Frame, silence: Stretch): Panel {
  const laid: Laid[] = [];
  let height = 0;
  for (const lane of lanes) {
    const one = layOut(lane, frame, height + CAPTION);
    laid.push(one);
    height += CAPTION + one.height + GAP;
  }
  return draw(frame, {
    height,
    signs: lanes.flatMap((lane) => signsIn(lane, frame.span)),
    y: { type: 'identity', axis: null },
    marks: [
      Plot.rectX([silence], { x1: 'from', x2: 'to', fill: 'var(--tint)' }),
      captions(
        laid.map(({ lane: { name, details = [] }, top }) => ({ name, details, y: top - 9 })),
        frame,
      ),
      laid.flatMap((one) => [...strokes(one), ...bands(one, frame), ...dots(one), ...words(one)]),
    ],
  });
}

function signsIn({ bands = [], marks = [] }: Lane, span: Stretch): Sign[] {
  const shown = bands.filter(({ from, to }) => Math.max(from, span.from) < Math.min(to, span.to));
  return [
    ...shown.map(({ tone }): Sign => `band:${tone}`),
    ...marks.map((mark): Sign => ('text' in mark ? 'moment' : `${mark.dot ? 'dot' : 'stroke'}:${mark.tone}`)),
  ];
}

function layOut(lane: Lane, frame: Frame, top: number): Laid {
  const named = (lane.marks ?? [])
    .filter((mark) => 'text' in mark)
    .map(({ atMs, text }) => ({ atMs, text, x: xOf(atMs, frame) + 4 }));
  const texts = placeInRows(named, { fontSize: FONT_SIZE, right: frame.width - MARGIN.right });
  const rows = Math.max(0, ...texts.map(({ row }) => row + 1));
  const isEmpty = lane.bands === undefined && lane.marks === undefined;
  return { lane, top, texts, height: isEmpty ? -GAP : Math.max(BAND, rows * ROW) };
}

function bands({ lane, top }: Laid, frame: Frame): Plot.Markish[] {
  const labelled = (lane.bands ?? []).flatMap((band) => {
    const from = Math.max(band.from, frame.span.from);
    const to = Math.min(band.to, frame.span.to);
    if (to <= from) return [];
    const width = xOf(to, frame) - xOf(from, frame);
    return [{ ...band, from, to, middle: (from + to) / 2, text: fitting(band.labels, width, FONT_SIZE) }];
  });
  return [
    Plot.rectX(labelled, {
      x1: 'from',
      x2: 'to',
      y1: top,
      y2: top + BAND,
      fill: ({ tone }: Band) => `var(--${tone})`,
      stroke: 'var(--paper)',
      rx: 2,
    }),
    Plot.text(
      labelled.filter(({ text }) => text !== undefined),
      {
        x: 'middle',
        y: top + BAND / 2,
        text: 'text',
        fontSize: FONT_SIZE,
        fill: ({ tone }: Band) => `var(--on-${tone})`,
      },
    ),
  ];
}

/** Each stroke reaches down to its words. */
function strokes({ lane, top, texts }: Laid): Plot.Markish[] {
  const foot = (mark: Mark) => {
    const placed = texts.find(({ item }) => 'text' in mark && item.atMs === mark.atMs && item.text === mark.text);
    return top + (placed === undefined ? BAND : placed.row * ROW + ROW - 2);
  };
  return [
    Plot.ruleX(
      (lane.marks ?? []).filter((mark) => 'text' in mark || !mark.dot),
      {
        x: 'atMs',
        y1: top,
        y2: foot,
        stroke: (mark: Mark) => ('text' in mark ? 'var(--ink)' : `var(--${mark.tone})`),
      },
    ),
  ];
}

function dots({ lane, top }: Laid): Plot.Markish[] {
  const marks = (lane.marks ?? []).filter((mark) => 'tone' in mark && mark.dot);
  return [
    Plot.dot(marks, {
      x: 'atMs',
      y: top + BAND / 2,
      r: 5,
      fill: ({ tone }: { tone: Tone }) => `var(--${tone})`,
      stroke: 'var(--paper)',
    }),
  ];
}

function words({ top, texts }: Laid): Plot.Markish[] {
  return (['start', 'end'] as const).map((side) =>
    Plot.text(
      texts.filter(({ anchor }) => anchor === side),
      {
        x: ({ item }: Laid['texts'][number]) => item.atMs,
        y: ({ row }: Laid['texts'][number]) => top + row * ROW + ROW / 2,
        text: ({ item }: Laid['texts'][number]) => item.text,
        dx: side === 'start' ? 4 : -4,
        textAnchor: side,
        fontSize: FONT_SIZE,
        fill: 'var(--ink)',
      },
    ),
  );
}
