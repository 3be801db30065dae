import type { Panel } from './canvas.ts';
import { widthOf } from './labels.ts';
import type { Shape, Sign, Tone } from './story.ts';

/** All signs in the order of a legend. A colour means the same wherever it is. */
const MEANINGS: Partial<Record<Sign, string>> = {
  ping: 'a ping, by its round trip',
  lost: 'a ping without an answer',
  silence: 'the longest silence',
  'band:source': 'source: runs or is bound there',
  'band:target': 'target: runs, is bound or open there',
  'band:alarm': 'the guest runs nowhere',
  'band:unbound': 'bound to or claimed by nobody',
  'band:dual': 'bound to both',
  'band:held': 'held: a pod by gates, a port by OVN',
  moment: 'a moment, with its name',
  'band:function': 'cold start',
  'dot:function': 'changed the port',
  'stroke:function': 'found nothing to do',
  'dot:alarm': 'could not do it yet, or failed',
  'dot:faint': 'first answer of each migration',
};

const FONT_SIZE = 11;
const ROW = 18;
const SIGN = 20;
const BETWEEN = 14;

/** What each of the signs means, in as many rows as that takes. */
export function legend(signs: ReadonlySet<Sign>, width: number): Panel {
  if (signs.size === 0) return { svg: '', height: 0 };
  const unknown = [...signs].filter((sign) => MEANINGS[sign] === undefined);
  if (unknown.length > 0) throw new Error(`The legend has no words for ${unknown.join(', ')}.`);
  const entries = (Object.keys(MEANINGS) as Sign[]).filter((sign) => signs.has(sign));
  let [x, row] = [0, 0];
  const parts = entries.map((sign) => {
    const text = MEANINGS[sign]!;
    const taken = SIGN + widthOf(text, FONT_SIZE);
    if (x > 0 && x + taken > width) [x, row] = [0, row + 1];
    const part = `<g transform="translate(${x} ${row * ROW + ROW})">${drawn(sign)}<text x="${SIGN}" y="4" fill="var(--faint)">${text}</text></g>`;
    x += taken + BETWEEN;
    return part;
  });
  const height = (row + 1) * ROW + ROW;
  const font = `font-family="system-ui, sans-serif" font-size="${FONT_SIZE}"`;
  return { svg: `<svg width="${width}" height="${height}" ${font}>${parts.join('')}</svg>`, height };
}

/** The sign itself, its middle at the height of 0. */
function drawn(sign: Sign): string {
  if (sign === 'ping') return '<circle cx="7" r="2" fill="var(--ink)"/>';
  if (sign === 'silence') return '<rect y="-6" width="14" height="12" fill="var(--tint)"/>';
  if (sign === 'lost') return stroke('alarm', 1.5);
  if (sign === 'moment') return stroke('ink', 1);
  const [shape, tone] = sign.split(':') as [Shape, Tone];
  if (shape === 'band') return `<rect y="-6" width="14" height="12" rx="2" fill="var(--${tone})"/>`;
  if (shape === 'dot') return `<circle cx="7" r="5" fill="var(--${tone})"/>`;
  return stroke(tone, 1);
}

function stroke(tone: Tone | 'ink', width: number): string {
  return `<path d="M7 -7V7" stroke="var(--${tone})" stroke-width="${width}"/>`;
}
