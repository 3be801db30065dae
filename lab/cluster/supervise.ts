// The process that a cluster ends with. It is told what to start, tells how far it is, and ends when its parent goes away
// before it said `stay`, on a signal, or when a start fails. Its parent talks to it over Node's channel between processes.
import type { ClusterOptions } from './cluster-run.ts';
import { ClusterRun } from './cluster-run.ts';

export type ToSupervisor = { readonly start: ClusterOptions } | 'stay';
export type FromSupervisor = { readonly progress: string } | { readonly failed: string } | 'ready';

let run: ClusterRun | undefined;
let stays = false;
let ending: Promise<void> | undefined;

process.on('message', (message: ToSupervisor) => {
  if (message === 'stay') stays = true;
  else void start(message.start);
});
process.on('disconnect', () => {
  if (!stays) end(0);
});
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => end(0));

async function start(options: ClusterOptions): Promise<void> {
  run = new ClusterRun(options, (progress) => say({ progress }));
  try {
    await run.start();
    say('ready');
  } catch (error) {
    // An end that was asked for makes whatever was under way fail.
    if (ending === undefined) say({ failed: (error as Error).message });
    end(1);
  }
}

function end(code: number): void {
  ending ??= (run?.stop() ?? Promise.resolve()).then(
    () => process.exit(code),
    (error: Error) => {
      say({ failed: error.message });
      process.exit(1);
    },
  );
}

function say(message: FromSupervisor): void {
  if (process.connected) process.send?.(message);
}
