/** The report of recorded migrations, opened in a real browser as a reader would. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { jest } from '@jest/globals';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { Report } from '../../../lab/migrate/result.ts';
import { typical } from '../../../lab/report/story.ts';
import { readResult, writeReport } from '../../../lab/report/write.ts';
import { complaints, look } from './seen.ts';

jest.setTimeout(60_000);

const FIXTURES = ['single', 'handover-gated', 'handover', 'floor'].map((mode) =>
  fileURLToPath(new URL(`../../../testkit/fixtures/results/${mode}.json`, import.meta.url)),
);
const QUIET = ['--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

let directory: string;
let browser: Browser;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'handover-report-'));
  await writeReport(await Promise.all(FIXTURES.map(readResult)), directory);
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', ...QUIET],
  });
});

afterAll(async () => {
  await browser?.close();
  await rm(directory, { recursive: true, force: true });
});

/** Opens a file, and collects what goes wrong in it. */
async function open(file: string, options: BrowserContextOptions): Promise<{ page: Page; trouble: string[] }> {
  const page = await browser.newPage(options);
  const trouble: string[] = [];
  page.on('console', (message) => trouble.push(message.text()));
  page.on('pageerror', (error) => trouble.push(error.message));
  page.on('request', (request) => {
    if (!/^(file|data):/.test(request.url())) trouble.push(`asks for ${request.url()}`);
  });
  await page.goto(pathToFileURL(join(directory, file)).href);
  return { page, trouble };
}

describe.each([
  ['phone', { width: 390, height: 844 }],
  ['small tablet', { width: 720, height: 900 }],
  ['desk', { width: 1280, height: 800 }],
] as const)('on a %s', (_, viewport) => {
  test.each(['light', 'dark'] as const)(
    'by %s nothing overlaps, is cut off, hard to read or rejected',
    async (colorScheme) => {
      const { page, trouble } = await open('report.html', { viewport, colorScheme });
      const seen = await look(page);
      expect(complaints(seen)).toEqual([]);
      expect(trouble).toEqual([]);
      expect(seen.texts.length).toBeGreaterThan(100);
    },
  );
});

test('every ping that was answered is drawn, and every mode has its figures', async () => {
  const reports = await Promise.all(FIXTURES.map(async (file) => JSON.parse(await readFile(file, 'utf8')) as Report));
  const { page } = await open('report.html', { viewport: { width: 1280, height: 800 } });
  const { texts, dots } = await look(page);
  const [handover] = reports.filter(({ mode }) => mode === 'handover');
  const answered = typical(handover!)!.interfaces[0].pings.filter(([, rtt]) => rtt !== null).length;
  expect(answered).toBeGreaterThan(1_000);
  expect(dots).toBeGreaterThanOrEqual(answered);
  const words = texts.map(({ text }) => text);
  for (const { mode, migrations } of reports) {
    expect(words).toContain(mode);
    for (const { interfaces } of migrations) expect(words).toContain(String(interfaces[0].outageMs));
  }
});

test('on paper every word is there, and inside the page', async () => {
  const { page } = await open('report.html', { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' });
  const words = (await look(page)).texts.flatMap(({ text }) => text.split(/\s+/));
  const file = join(directory, 'report.pdf');
  await page.pdf({ path: file, format: 'A4' });
  const xml = execFileSync('pdftotext', ['-bbox', file, '-'], { encoding: 'utf8' });
  const [, width, height] = /<page width="([\d.]+)" height="([\d.]+)">/.exec(xml)!.map(Number) as [
    number,
    number,
    number,
  ];
  const printed = [...xml.matchAll(/xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)">/g)];
  expect(printed.length).toBeGreaterThan(200);
  const outside = printed
    .map(([, ...numbers]) => numbers.map(Number) as [number, number, number, number])
    .filter(([left, top, right, bottom]) => left < 0 || top < 0 || right > width || bottom > height);
  expect(outside).toEqual([]);
  const text = execFileSync('pdftotext', ['-layout', file, '-'], { encoding: 'utf8' });
  // A long word may be broken in two on paper.
  const run = text.replace(/\s+/g, '');
  expect(words.filter((word) => !run.includes(word))).toEqual([]);
});

test('the picture stands alone on light and on dark pages', async () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    const { page, trouble } = await open('report.svg', { viewport: { width: 900, height: 1300 }, colorScheme });
    const paper = await page.evaluate("getComputedStyle(document.querySelector('rect')).fill");
    expect(paper).toBe(colorScheme === 'light' ? 'rgb(253, 252, 249)' : 'rgb(21, 25, 28)');
    expect(trouble).toEqual([]);
  }
});

test.each(['light', 'dark'] as const)('by %s the picture of the flow is readable on a phone', async (colorScheme) => {
  const flow = await readFile('docs/flow.svg', 'utf8');
  const style = '<style>body { margin: 0 } svg { max-width: 100%; height: auto }</style>';
  await writeFile(join(directory, 'flow.html'), `<!doctype html><title>flow</title>${style}<body>${flow}</body>`);
  const { page, trouble } = await open('flow.html', { viewport: { width: 390, height: 844 }, colorScheme });
  const seen = await look(page);
  expect(complaints(seen)).toEqual([]);
  expect(trouble).toEqual([]);
  const words = seen.texts.map(({ text }) => text);
  for (const function_ of ['reuse-port', 'enable-dual-chassis', 'disable-dual-chassis', 'release-port', 'reconcile']) {
    expect(words).toContain(function_);
  }
});

test('the look at a page finds what it is there to find', async () => {
  const { page } = await open('report.html', { viewport: { width: 390, height: 844 } });
  await page.evaluate(`document.body.insertAdjacentHTML('beforeend',
    '<div style="position:relative;height:3em"><b style="position:absolute">under</b><b style="position:absolute">over</b></div>' +
    '<p style="white-space:nowrap">' + 'too wide '.repeat(20) + '</p>');
    document.documentElement.style.setProperty('--faint', '#ccc');`);
  const found = complaints(await look(page)).join('\n');
  expect(found).toMatch(/one over the other: under \| over/);
  expect(found).toMatch(/cut off: too wide/);
  expect(found).toMatch(/on a screen of 390 px/);
  expect(found).toMatch(/faint on paper has a contrast of 1\.\d/);
});

test('a file that holds no migrations is rejected by name', async () => {
  const noResult = fileURLToPath(import.meta.url);
  await expect(readResult(noResult)).rejects.toThrow(noResult);
  await expect(readResult('/nonexistent/result.json')).rejects.toThrow('/nonexistent/result.json');
});
