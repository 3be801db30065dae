/** The alerts, as Prometheus' own promtool reads them and what the dashboard asks for. */
import { execFile } from 'node:child_process';
import { access, copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { dashboardQueries, readAlerts } from './metrics.ts';

const PROJECT = new URL('../../../', import.meta.url);
const PROMTOOL = fileURLToPath(new URL('lab/.cache/prometheus/usr/bin/promtool', PROJECT));
const TESTS = 'alerts.test.yaml';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'handover-alerts-'));
  const { groups } = await readAlerts();
  await writeFile(join(directory, 'rules.yaml'), stringify({ groups }));
  await copyFile(new URL(TESTS, import.meta.url), join(directory, TESTS));
});
afterAll(() => rm(directory, { recursive: true }));

/** @throws with what promtool said */
async function promtool(...args: readonly string[]): Promise<string> {
  return (await promisify(execFile)(PROMTOOL, args, { cwd: directory })).stdout;
}

describe('the alerts', () => {
  test('are rules that Prometheus takes', async () => {
    expect(await promtool('check', 'rules', 'rules.yaml')).toContain('SUCCESS: 5 rules found');
  });

  test('fire on their faults and on nothing else', async () => {
    expect(await promtool('test', 'rules', TESTS)).toContain('SUCCESS');
  });

  test('are each tested where they fire, and where they do not', async () => {
    const { tests } = parse(await readFile(join(directory, TESTS), 'utf8')) as {
      tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[];
    };
    const all = tests.flatMap(({ alert_rule_test }) => alert_rule_test);
    const fired = (isFired: boolean) =>
      new Set(all.filter((one) => one.exp_alerts.length > 0 === isFired).map(({ alertname }) => alertname));
    const names = (await readAlerts()).groups.flatMap(({ rules }) => rules.map(({ alert }) => alert)).sort();
    expect([...fired(true)].sort()).toEqual(names);
    expect([...fired(false)].sort()).toEqual(names);
  });

  test('have a runbook each, which names it', async () => {
    for (const { alert, annotations } of (await readAlerts()).groups.flatMap(({ rules }) => rules)) {
      const page = new URL(annotations.runbook_url, PROJECT);
      await access(page);
      expect([alert, await readFile(page, 'utf8')]).toEqual([alert, expect.stringContaining(alert)]);
    }
  });
});

test('the dashboard asks what Prometheus can read', async () => {
  const rules = (await dashboardQueries()).map((expr, index) => ({ record: `query:${index}`, expr }));
  await writeFile(join(directory, 'queries.yaml'), stringify({ groups: [{ name: 'dashboard', rules }] }));
  expect(await promtool('check', 'rules', 'queries.yaml')).toContain(`SUCCESS: ${rules.length} rules found`);
});
