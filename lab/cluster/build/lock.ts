import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Waits until nobody else has the lock of a file, and has it until disposed of; the kernel gives it back when this process ends. */
export async function locked(file: string): Promise<AsyncDisposable> {
  const holder = spawn('flock', [file, 'sh', '-c', 'echo locked; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exit = once(holder, 'exit');
  const failed = exit.then(([code]) => {
    throw new Error(`${file} could not be locked: flock ended with ${code}.`);
  });
  await Promise.race([once(holder.stdout, 'data'), failed]);
  failed.catch(() => {});
  return {
    async [Symbol.asyncDispose]() {
      holder.stdin.end();
      await exit;
    },
  };
}
