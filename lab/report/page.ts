import { readFile } from 'node:fs/promises';
import { type MigrationResult, outageOfNetworkMs, type Report } from '../migrate/result.ts';
import { loadInWords, verdictOn } from '../migrate/verdict.ts';
import { GAP } from './canvas.ts';
import { closeup, closeupTitle, showsSwitch } from './closeup.ts';
import { type Figure, figure } from './figure.ts';
import { Html, html } from './html.ts';
import { conditionsOf, modes } from './modes.ts';
import { ms, overview } from './overview.ts';
import { typical, worstInterface } from './story.ts';
import { figuresTables, momentsTable } from './tables.ts';

/** Each figure is drawn twice: for a desk or paper, and for a phone. */
const WIDTHS = { wide: 860, narrow: 358 };

/** The whole report, one page that needs nothing else: no script, no font, no network. */
export async function page(reports: readonly [Report, ...Report[]]): Promise<string> {
  const [report] = reports;
  const shown = typical(report)!;
  const style = new Html((await sheet('figure.css')) + (await sheet('page.css')));
  const broken = shown.interfaces.some(({ tcpBroken }) => tcpBroken);
  const silent = ms(worstInterface(shown).outageMs);
  const which = whichOf(reports, shown);
  const title = `${silent} without an answer, ${broken ? 'and TCP broke' : 'no connection broken'}`;
  return `<!doctype html>
${
  html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>${title} – ovn-handover</title>
<style>
${style}</style>
</head>
<body>
<header>
<p class="kind">ovn-handover, a live migration measured${which === '' ? '' : `: ${which}`}</p>
<h1>${title}</h1>
${lead(report, shown)}
</header>
<main>
${section(
  `${closeupTitle(shown)}${which === '' ? '' : ` (${which})`}`,
  (width) => closeup(shown, width),
  `Each ping stands at the moment when it was sent. ${showsSwitch(shown) ? 'The guest itself stood still for a part of the silence: no network can help that.' : ''}`,
)}
${section(
  `The whole migration${which === '' ? '' : ` (${which})`}`,
  (width) => overview(shown, width),
  'Below the pings: where the guest runs, what the northbound database wants of its port, and what the southbound database says of the target’s side; then KubeVirt, and the functions by their answers.',
)}
${reports.length < 2 ? '' : section('Side by side', (width) => modes(reports, width), MODES)}
<section>
<h2>Figures</h2>
${reports.flatMap((one) => figuresTables(one, reports))}
</section>
<section>
<h2>What happened, in order${which === '' ? '' : ` (${which})`}</h2>
${momentsTable(shown)}
</section>
</main>
<footer>
<p>Measured ${shown.startedAt.slice(0, 16).replace('T', ' ')} UTC with ${versionsInWords(report)}.</p>
<p>The client pings every 5 ms. Round trips are on a logarithmic scale; the time of a lost ping lies evenly between its neighbours’.</p>
</footer>
</body>
</html>`.text
}
`;
}

const MODES =
  'handover: the functions switch, by a dual binding that the guest’s RARP opens. floor: both chassis open all along, so that little but the guest’s own blackout remains. single: the port is moved when the migration is reported done. Each shows its migration with the median outage.';

/** Which run and which of its migrations is shown, where there are several. */
function whichOf(reports: readonly [Report, ...Report[]], shown: MigrationResult): string {
  const [report] = reports;
  const { mode, migrations } = report;
  const run = reports.length < 2 ? [] : [mode, conditionsOf(report, reports)];
  const number = `migration ${migrations.indexOf(shown) + 1} of ${migrations.length}`;
  return [...run, ...(migrations.length === 1 ? [] : [number])].join(', ');
}

function lead(report: Report, shown: MigrationResult): Html {
  const { migrations, eventDelayMs } = report;
  const { from, to, guestBlackoutMs, machineBusy, mode } = shown;
  const worst = worstInterface(shown);
  const { lostPings, sentPings, tcpMaxStallMs } = worst;
  const { word, lines } = verdictOn(report);
  const broken = word === 'FAILED' || word === 'UNMEASURED' ? lines : [];
  return html`<p>A Linux guest moved from ${from} to ${to} over real OVN while a client pinged it every 5 ms and held a TCP
connection to it (${mode}${eventDelayMs > 0 ? `, events ${eventDelayMs / 1000} s late` : ''}). The guest itself ran nowhere for ${guestBlackoutMs ?? 'some'} ms;
${ms(outageOfNetworkMs(worst, shown))} of the silence are the network’s. ${lostPings} of ${sentPings} pings were lost; the longest stall of TCP was ${ms(tcpMaxStallMs)}.
${migrations.length === 1 ? '' : `Of ${migrations.length} migrations this is the one with the median outage.`}</p>
${machineBusy === undefined ? '' : html`<p>When it was measured, ${loadInWords(machineBusy)}.</p>`}
${broken.length === 0 ? '' : html`<ul class="broken">${broken.map((promise) => html`<li>${promise}</li>`)}</ul>`}`;
}

function versionsInWords({ versions: { ovn, ovs, qemu, node, kernel } }: Report): string {
  return [ovn, ovs, qemu, `Node ${node}`, `Linux ${kernel}`].join(', ');
}

function section(heading: string, draw: (width: number) => Figure, caption: string): Html {
  const svg = (width: number) => new Html(figure(draw(width)));
  return html`<section>
<h2>${heading}</h2>
<figure>
<div class="wide">${svg(WIDTHS.wide)}</div>
<div class="narrow">${svg(WIDTHS.narrow)}</div>
<figcaption>${caption}</figcaption>
</figure>
</section>`;
}

/** One SVG with a whole migration and its switch, readable on light and on dark paper. */
export async function picture(report: Report): Promise<string> {
  const shown = typical(report)!;
  const [whole, switched] = [overview(shown, WIDTHS.wide), closeup(shown, WIDTHS.wide)];
  const both: Figure = {
    ...whole,
    id: 'migration',
    description: `${whole.description} ${switched.description}`,
    panels: [...whole.panels, GAP, ...switched.panels],
    paper: true,
  };
  return figure(both, `<style>\n${await sheet('figure.css')}</style>`);
}

async function sheet(name: string): Promise<string> {
  return readFile(new URL(name, import.meta.url), 'utf8');
}
