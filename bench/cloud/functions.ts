import { readdirSync, readFileSync } from 'node:fs';

/** A function's process that somebody else has started. */
export interface RunningFunction {
  readonly step: string;
  readonly pid: number;
  readonly port: number;
}

/** The functions that were given this kubeconfig. */
export function functionsWith(kubeconfig: string): RunningFunction[] {
  const pids = readdirSync('/proc').map(Number).filter(Boolean);
  return pids.flatMap((pid) => {
    const environment = environmentOf(pid);
    if (environment.KUBECONFIG !== kubeconfig || environment.FUNC_STEP === undefined) return [];
    return [{ step: environment.FUNC_STEP, pid, port: Number(environment.FUNC_PORT) }];
  });
}

/** What the runtime measures of itself: samples of the Prometheus text format by name, without those that have labels of their own. */
export async function metricsOf({ port }: RunningFunction): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.replace(/[{ ].*/, ''), Number(line.slice(line.lastIndexOf(' ') + 1))]));
}

function environmentOf(pid: number): Record<string, string> {
  try {
    const pairs = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean);
    return Object.fromEntries(
      pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
    );
  } catch {
    return {}; // It has ended, or is none of ours.
  }
}
