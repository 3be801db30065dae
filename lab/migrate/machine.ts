import { cpus } from 'node:os';

/** How much of the machine's CPU time is taken while something goes on: 0 to 1. */
export async function busyWhile(act: () => Promise<unknown>): Promise<number> {
  const before = cpuTimes();
  await act();
  const after = cpuTimes();
  const total = after.total - before.total;
  return total === 0 ? 0 : 1 - (after.idle - before.idle) / total;
}

function cpuTimes(): { readonly idle: number; readonly total: number } {
  const times = cpus().map((cpu) => cpu.times);
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  return { idle: sum(times.map(({ idle }) => idle)), total: sum(times.flatMap((one) => Object.values(one))) };
}
