import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

type Rgb = readonly [number, number, number];

interface Seen {
  readonly texts: readonly (Box & { readonly text: string; readonly svg?: Box })[];
  /** Each colour that text has, with the one that it is on. */
  readonly colours: readonly { readonly ink: string; readonly ground: string; readonly rgb: readonly [Rgb, Rgb] }[];
  readonly scrollWidth: number;
  readonly width: number;
  /** Pings that are drawn. */
  readonly dots: number;
  /** Pictures without a title and a description. */
  readonly unnamedPictures: number;
}

/** A box may touch another by so much: letters do not fill it. */
const TOLERANCE_PX = 1;
/** WCAG 2.2, success criterion 1.4.3. */
const LEAST_CONTRAST = 4.5;

/** What is on the page, as Chromium lays it out. */
export async function look(page: Page): Promise<Seen> {
  return page.evaluate(await readFile(new URL('texts.js', import.meta.url), 'utf8'));
}

/** All that a reader would complain of, in words. */
export function complaints({ texts, colours, scrollWidth, width, unnamedPictures }: Seen): string[] {
  const list: string[] = [];
  if (scrollWidth > width) list.push(`the page is ${scrollWidth} px wide on a screen of ${width} px`);
  if (unnamedPictures > 0) list.push(`${unnamedPictures} pictures have no title or description`);
  for (const one of texts) {
    const frame = one.svg ?? { left: 0, right: width, top: Number.NEGATIVE_INFINITY, bottom: Number.POSITIVE_INFINITY };
    if (!isInside(one, frame) || !isInside(one, { ...frame, left: 0, right: width })) list.push(`cut off: ${one.text}`);
  }
  for (const [index, one] of texts.entries()) {
    for (const other of texts.slice(index + 1)) {
      if (overlap(one, other)) list.push(`one over the other: ${one.text} | ${other.text}`);
    }
  }
  for (const { ink, ground, rgb } of colours) {
    const ratio = contrast(...rgb);
    if (ratio < LEAST_CONTRAST) list.push(`${ink} on ${ground} has a contrast of ${ratio.toFixed(1)}`);
  }
  return list;
}

function isInside(box: Box, frame: Box): boolean {
  return (
    box.left >= frame.left - TOLERANCE_PX &&
    box.right <= frame.right + TOLERANCE_PX &&
    box.top >= frame.top - TOLERANCE_PX &&
    box.bottom <= frame.bottom + TOLERANCE_PX
  );
}

function overlap(a: Box, b: Box): boolean {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  return width > TOLERANCE_PX && height > TOLERANCE_PX;
}

/** WCAG 2.2, "contrast ratio" and "relative luminance". */
function contrast(a: Rgb, b: Rgb): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

function luminance(rgb: Rgb): number {
  const [red, green, blue] = rgb.map((channel) => {
    const value = channel / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
