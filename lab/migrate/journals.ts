import { readFile } from 'node:fs/promises';
import type { Span } from '../probe/outage.ts';
import type { FunctionResult, MigrationResult } from './result.ts';

type Line = Readonly<Record<string, unknown>> & { readonly at: string };

/** The lines of a log of JSON lines that fall into a span. */
export async function linesIn(file: string, span: Span): Promise<Line[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const lines = text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
  return lines.filter(({ at }) => Date.parse(at) >= span.from && Date.parse(at) <= span.to);
}

/** What each function did, by the Knative stand-in's journal. */
export function functionsIn(all: readonly Line[], startedAt: number): Record<string, FunctionResult> {
  const lines = all.filter(({ kind }) => kind === 'coldStart' || kind === 'delivery');
  const names = [...new Set(lines.flatMap((line) => (typeof line.function === 'string' ? [line.function] : [])))];
  return Object.fromEntries(
    names.sort().map((name) => {
      const own = lines.filter((line) => line.function === name);
      const deliveries = own.filter(({ kind }) => kind === 'delivery');
      const coldStarts = own
        .filter(({ kind }) => kind === 'coldStart')
        .map((line) => ({ atMs: Date.parse(line.at) - startedAt, ms: Number(line.ms) }));
      const statuses = Map.groupBy(deliveries, ({ status }) => String(status ?? 'none'));
      const answers = Object.fromEntries([...statuses].map(([status, list]) => [status, list.length]));
      const delivery = ({ at, status, ms }: Line) => [Date.parse(at) - startedAt, Number(status), Number(ms)] as const;
      return [name, { coldStarts, events: deliveries.length, answers, deliveries: deliveries.map(delivery) }];
    }),
  );
}

/** KubeVirt's moments, in words. */
export function phasesIn(lines: readonly Line[], startedAt: number): MigrationResult['phases'] {
  return lines.flatMap((line) => {
    const what = wordsFor(line);
    const phase = line.what === 'vmim-phase' ? { phase: String(line.phase) } : {};
    return what === undefined ? [] : [{ atMs: Date.parse(line.at) - startedAt, what, ...phase }];
  });
}

function wordsFor(line: Line): string | undefined {
  switch (line.what) {
    case 'vmim-phase':
      return `VMIM is ${line.phase}`;
    case 'pod':
      return line.state === 'bound' ? `target pod is bound to ${line.node}` : undefined;
    case 'plugged':
      return `CNI plugged ${line.port} on ${line.node}`;
    case 'copying':
      return 'QEMU copies memory';
    case 'switched':
      return `the guest runs on ${line.to}`;
    case 'node-moved':
      return `VMI.status.nodeName is ${line.to}`;
    case 'copy-failed':
      return `QEMU's migration failed: ${line.reason}`;
    case 'error':
      return `KubeVirt stand-in: ${line.message}`;
    default:
      return undefined;
  }
}
