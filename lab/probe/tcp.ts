import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { hasEnded } from '../testbed/command.ts';
import type { Client } from '../testbed/description.ts';
import { runningIn } from './child.ts';
import { type Answer, longestSilence } from './outage.ts';

export interface TcpResult {
  /** Echoes that came back. */
  readonly answers: readonly Answer[];
  /** Longest time without an echo between connecting and the end, ms. */
  readonly maxStallMs: number;
  readonly broken: boolean;
  /** Why the connection broke. */
  readonly reason?: string;
}

export interface Tcp {
  /** All echoes up to now. */
  readonly answers: readonly Answer[];
  stop(): Promise<TcpResult>;
}

const PROGRAM = fileURLToPath(new URL('tcp-client.ts', import.meta.url));

/**
 * Holds one TCP connection from the client to the guest's echo service and sends 8 bytes every 5 ms. Resolves when the
 * first echo has come back.
 *
 * @throws Error when no connection comes about.
 */
export async function startTcp(client: Pick<Client, 'netns'>, ip: string): Promise<Tcp> {
  const child = await runningIn(client.netns, process.execPath, ['--no-warnings', PROGRAM, ip]);
  const answers: Answer[] = [];
  let reason: string | undefined;
  const lines = createInterface({ input: child.stdout });
  const closed = once(lines, 'close');
  lines.on('line', (line) => {
    const message = JSON.parse(line) as Answer | { broken: string };
    if ('broken' in message) reason = message.broken;
    else answers.push(message);
  });
  await Promise.race([once(lines, 'line'), closed]);
  const [first] = answers;
  if (!first) throw new Error(`No TCP connection from ${client.netns} to ${ip}: ${reason ?? 'the client ended'}.`);
  return {
    answers,
    async stop() {
      const to = Date.now();
      if (hasEnded(child)) reason ??= "the client's process ended";
      child.kill('SIGTERM');
      await closed;
      const { ms: maxStallMs } = longestSilence(answers, { from: first.at, to });
      return { answers, maxStallMs, broken: reason !== undefined, ...(reason === undefined ? {} : { reason }) };
    },
  };
}
