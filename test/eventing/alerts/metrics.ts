import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';

const METRICS = new URL('../../../eventing/components/metrics/', import.meta.url);

interface Alerts {
  readonly groups: readonly {
    readonly name: string;
    readonly rules: readonly {
      readonly alert: string;
      readonly expr: string;
      readonly annotations: { readonly runbook_url: string };
    }[];
  }[];
}

export async function readAlerts(): Promise<Alerts> {
  return parse(await readFile(new URL('alerts.yaml', METRICS), 'utf8')).spec;
}

/** All that the dashboard asks Prometheus for, with its variables filled in. */
export async function dashboardQueries(): Promise<string[]> {
  const { panels, templating } = JSON.parse(await readFile(new URL('dashboard.json', METRICS), 'utf8')) as {
    panels: { targets: { expr: string }[] }[];
    templating: { list: { query: string }[] };
  };
  const labels = templating.list.flatMap(({ query }) => /^label_values\((\w+),/.exec(query)?.[1] ?? []);
  const queries = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  return [...labels, ...queries.map((expr) => expr.replaceAll('$namespace', '.*'))];
}

/** The metrics that a query names: words that are no function, no label and no text. */
export function metricsIn(query: string): string[] {
  const bare = query
    .replaceAll(/"(\\.|[^"])*"/g, '')
    .replaceAll(/\{[^}]*\}/g, '')
    .replaceAll(/\b(by|on|ignoring|without)\s*\([^)]*\)/g, '')
    .replaceAll(/\[[^\]]*\]/g, '');
  return [...bare.matchAll(/[a-z_][a-z0-9_]*(?!\w)(?!\s*\()/g)]
    .map(([word]) => word)
    .filter((word) => word.includes('_') && !word.endsWith('_quantile'));
}
