import type { KillReport, MigrationLine } from './run.ts';

export function migrationLine(line: MigrationLine, done: number, of: number): string {
  const { vm, from, to, phase, cancelled, ms, reconciled, wrong } = line;
  const mark = wrong.length === 0 ? '✓' : '✗';
  const count = `${String(done).padStart(String(of).length)}/${of}`;
  const how = [phase, cancelled && 'cancelled', reconciled && 'put right by reconcile'].filter(Boolean).join(', ');
  const first = `${mark} ${count} ${`${(ms / 1000).toFixed(1)} s`.padStart(7)}  ${vm}  ${from} → ${to}  ${how}`;
  return [first, ...wrong.map((what) => `    ${what}`)].join('\n');
}

/** @param asked how many kills and restarts there were to be */
export function verdictOf(
  report: KillReport,
  asked: { readonly kills: number; readonly restarts: number },
): { text: string; passed: boolean } {
  const { migrations, kills, restarts, unanswered, retried, dropped } = report;
  const wrong = [...migrations.flatMap((line) => line.wrong), ...report.wrong];
  const killed = Object.values(kills).reduce((sum, count) => sum + count, 0);
  const byFunction = Object.entries(kills).map(([name, count]) => `${name} ${count}`);
  const count = (is: (line: MigrationLine) => boolean) => migrations.filter(is).length;
  const passed = wrong.length === 0 && killed === asked.kills && restarts === asked.restarts;
  const lines = [
    `migrations          ${migrations.length}: ${count(({ phase }) => phase === 'Succeeded')} succeeded, ${count(({ cancelled }) => cancelled)} were cancelled`,
    `functions killed    ${killed} of ${asked.kills}: ${byFunction.join(', ') || 'none'}`,
    `northbound server   killed ${restarts} times of ${asked.restarts}`,
    `deliveries          ${unanswered} died with their function, ${retried} were another try, ${dropped} events were given up`,
    `right by itself     ${count(({ reconciled }) => !reconciled)}; by reconcile ${count(({ reconciled }) => reconciled)}`,
    `wrong               ${wrong.length}`,
    ...wrong.map((what) => `  ${what}`),
    '',
    passed
      ? `PASSED  all ports right after each of ${migrations.length} migrations, and without a trace at the end`
      : 'FAILED',
  ];
  return { text: lines.join('\n'), passed };
}
