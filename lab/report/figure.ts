import { escaped, type Panel } from './canvas.ts';
import { legend } from './legend.ts';

export interface Figure {
  readonly id: string;
  /** What it shows, in a few words. */
  readonly title: string;
  /** What there is to see in it, for whoever cannot. */
  readonly description: string;
  readonly width: number;
  readonly panels: readonly Panel[];
  /** Whether it brings its own background and margin, for pages of any colour. */
  readonly paper?: boolean;
}

const PAPER_MARGIN = 20;

/** Puts panels below each other into one SVG with a title, a description, and a legend of all signs in them. */
export function figure({ id, title, description, width, panels, paper = false }: Figure, style = ''): string {
  let y = 0;
  const signs = new Set(panels.flatMap((panel) => panel.signs ?? []));
  const parts = [...panels, legend(signs, width)].map((panel) => {
    const part = panel.svg.replace('<svg ', `<svg y="${y}" `);
    y += panel.height;
    return part;
  });
  const margin = paper ? PAPER_MARGIN : 0;
  const size = { width: width + 2 * margin, height: y + 2 * margin };
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${-margin} ${-margin} ${size.width} ${size.height}" role="img" aria-labelledby="${id}-title ${id}-description">`,
    `<title id="${id}-title">${escaped(title)}</title>`,
    `<desc id="${id}-description">${escaped(description)}</desc>`,
    style,
    ...(paper
      ? [
          `<rect x="${-margin}" y="${-margin}" width="${size.width}" height="${size.height}" rx="8" fill="var(--paper)"/>`,
        ]
      : []),
    ...parts,
    '</svg>',
  ].join('\n');
}
