import { draw, type Frame, type Panel } from './canvas.ts';
import { captions } from './caption.ts';

/** A line above a panel. */
export function headingPanel(frame: Frame, name: string, ...details: string[]): Panel {
  return draw(frame, {
    height: 24,
    y: { type: 'identity', axis: null },
    marks: captions([{ name, details, y: 12 }], frame),
  });
}
