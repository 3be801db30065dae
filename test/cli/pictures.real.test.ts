/** What the commands print, at 80 and 120 columns, with and without colour, drawn as a terminal would: `lab/out/terminal/`. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type Browser, chromium } from 'playwright-core';
import { widthOf } from '../../cli/output/wrap.ts';
import { DUAL_GATE, PORT_GATE } from '../../handover/decision/kubevirt.ts';
import type { Migration } from '../../testkit/kubevirt-vm.ts';
import { addPort, addPortBinding } from '../../testkit/ovn.ts';
import { FAULTS_OF_CLUSTER } from './support/faults-of-cluster.ts';
import { FAULTS_OF_INSTALLATION } from './support/faults-of-installation.ts';
import { Installed } from './support/installed.ts';
import { installWhole } from './support/whole.ts';

jest.setTimeout(300_000);

const PICTURES = fileURLToPath(new URL('../../lab/out/terminal/', import.meta.url));
const FAULTS = ['trigger-missing', 'function-not-ready', 'chassis-ambiguous', 'interface-masquerade', 'single-replica'];
const ARCHIVE = 'pictures.tar.gz';
const COMMANDS = [
  ['--help'],
  ['doctor', '--no-probe'],
  ['status'],
  ['explain', 'prod/web-01'],
  ['resync'],
  ['history', 'prod/web-01'],
  ['history', 'prod/web-02'],
  ['remove'],
  ['bundle', '--file', ARCHIVE],
  ['status', 'no/such/vm'],
];

let installed: Installed;
let browser: Browser;

beforeAll(async () => {
  installed = await Installed.start();
  await installWhole(installed);
  const { nb, sb, cluster } = installed;
  // A VM at rest with two ports, one with a name as long as they come, one that migrates and one whose target waits.
  const names = ['web-01', 'web-02', 'order-database-primary-eu-central-1'];
  for (const [index, name] of names.entries()) {
    addPort(nb, `${name}.prod`, `prod/${name}`);
    if (index === 1) addPort(nb, `${name}.prod.tenant-a.prod.ovn`, `prod/${name}`);
    addPortBinding(sb, `${name}.prod`, index + 1);
    await cluster.createVm(name);
    if (index === 0) await untilItIsDual(await cluster.migrate('evacuation-7xk2p'));
  }
  await (await cluster.migrate('kubevirt-evacuation-w8b4d')).createTarget([PORT_GATE, DUAL_GATE]);
  // From then on it is told that it waits for too long.
  await sleep(31_000);
  const args = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'];
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args });
  await mkdir(PICTURES, { recursive: true });
});
afterAll(async () => {
  await browser?.close();
  await installed?.[Symbol.asyncDispose]();
  await rm(ARCHIVE, { force: true });
});

async function untilItIsDual(migration: Migration): Promise<void> {
  await migration.createTarget([]);
  await installed.cli('resync', '--write');
  await migration.schedule('worker-b');
  await installed.cli('resync', '--write');
  await migration.handOff();
}

describe.each([80, 120])('at %i columns', (columns) => {
  test('the commands say the same with and without colour, and no line is wider than the terminal', async () => {
    const faults = [...FAULTS_OF_CLUSTER, ...FAULTS_OF_INSTALLATION].filter(({ id }) => FAULTS.includes(id));
    const undo = await Promise.all(faults.map((fault) => fault.put(installed)));
    try {
      for (const command of COMMANDS) {
        const [plain, coloured] = [await screen(command, columns, false), await screen(command, columns, true)];
        const timeless = (text: string) => stripVTControlCharacters(text).replaceAll(/\d+ s\b/g, 'N s');
        expect(timeless(coloured).replaceAll(/\s+/g, ' ')).toBe(timeless(plain).replaceAll(/\s+/g, ' '));
        // A command to be copied stays in one piece.
        const wide = plain.split('\n').filter((line) => widthOf(line) > columns && !line.startsWith('    mend: '));
        expect({ command, wide }).toEqual({ command, wide: [] });
      }
    } finally {
      for (const each of undo) await each();
    }
  });
});

const screens = new Map<string, string[]>();

/** What a terminal shows after a command. */
async function screen(command: readonly string[], columns: number, hasColour: boolean): Promise<string> {
  const { out, err } = await installed.cliAs({ columns, hasColour }, ...command);
  const text = [`$ ovn-handover ${command.join(' ')}`, ...(err ? [err] : []), ...(out ? [out] : [])].join('\n');
  const name = `${columns}-${hasColour ? 'colour' : 'plain'}`;
  screens.set(name, [...(screens.get(name) ?? []), text]);
  return text;
}

test('all of it is drawn', async () => {
  for (const [name, texts] of screens) {
    const page = await browser.newPage({ viewport: { width: 1_200, height: 800 } });
    await page.setContent(html(texts.join('\n\n'), Number(name.split('-')[0])));
    const { width, height } = (await page.locator('pre').boundingBox())!;
    expect(width).toBeLessThanOrEqual(1_200);
    expect(height).toBeGreaterThan(1_000);
    await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
    await page.close();
  }
  expect([...screens.keys()].sort()).toEqual(['120-colour', '120-plain', '80-colour', '80-plain']);
});

const STYLES: Readonly<Record<string, string>> = {
  1: 'font-weight:bold',
  2: 'opacity:.6',
  31: 'color:#f66',
  32: 'color:#6d6',
  33: 'color:#dc5',
};

function html(text: string, columns: number): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  // Select Graphic Rendition (ECMA-48, 8.3.117): each that begins something ends with another.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a terminal is told by
  const drawn = escaped.replaceAll(/\u001b\[(\d+)m/g, (_, code) =>
    STYLES[code] ? `<span style="${STYLES[code]}">` : '</span>',
  );
  const style = `margin:8px;width:${columns + 0.5}ch;font:14px monospace;white-space:pre-wrap;overflow-wrap:anywhere`;
  return `<body style="background:#111;color:#ddd;margin:0"><pre style="${style}">${drawn}</pre></body>`;
}
