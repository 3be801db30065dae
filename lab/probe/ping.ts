import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { hasEnded } from '../testbed/command.ts';
import type { Client } from '../testbed/description.ts';
import { runningIn } from './child.ts';
import type { Answer } from './outage.ts';

export interface PingAnswer extends Answer {
  /** Round trip, ms. */
  readonly rttMs: number;
}

export interface PingResult {
  /** In the order in which they came; a duplicate answer is not among them. */
  readonly answers: readonly PingAnswer[];
  /** Requests that were sent. */
  readonly sent: number;
  /**
   * Second answers to one request. They come where both chassis are open: the target's tap keeps the clones that
   * arrive before the guest does, and the guest answers them when it runs there.
   */
  readonly duplicates: number;
}

export interface Ping {
  /** All answers up to now. */
  readonly answers: readonly PingAnswer[];
  stop(): Promise<PingResult>;
}

/** Pings `ip` from the client until it is stopped; resolves at once, also when nobody answers. */
export async function startPing(
  client: Pick<Client, 'netns'>,
  ip: string,
  { intervalMs }: { intervalMs: number },
): Promise<Ping> {
  // While nobody answers, ping sleeps for at least 10 ms; the preload (-l) lets it send what it has missed by that.
  const child = await runningIn(client.netns, 'ping', ['-D', '-n', '-l', '3', '-i', `${intervalMs / 1000}`, ip]);
  const parser = new PingParser();
  const lines = createInterface({ input: child.stdout });
  const closed = once(lines, 'close');
  lines.on('line', (line) => parser.read(line));
  return {
    answers: parser.answers,
    async stop() {
      if (hasEnded(child)) throw new Error(`ping of ${ip} ended before it was stopped; its stderr says why.`);
      // On this signal ping prints its summary, which tells how many it has sent.
      child.kill('SIGINT');
      await closed;
      return parser.result();
    },
  };
}

/** Reads what iputils' `ping -D` prints. */
export class PingParser {
  readonly answers: PingAnswer[] = [];
  #sent = 0;
  #duplicates = 0;
  /** Sequence numbers have 16 bits on the wire; this many were used up before. */
  #wrapped = 0;
  #lastSequence = 0;

  read(line: string): void {
    const answer = /^\[([\d.]+)\] .*icmp_seq=(\d+) .*time=([\d.]+) ms( \(DUP!\))?/.exec(line);
    const summary = /^(\d+) packets transmitted/.exec(line);
    if (summary) this.#sent = Number(summary[1]);
    if (!answer) return;
    if (answer[4]) this.#duplicates += 1;
    else this.answers.push(this.#answer(Number(answer[1]), Number(answer[2]), Number(answer[3])));
  }

  result(): PingResult {
    return { answers: this.answers, sent: this.#sent, duplicates: this.#duplicates };
  }

  #answer(seconds: number, wireSequence: number, rttMs: number): PingAnswer {
    if (wireSequence + 32768 < this.#lastSequence) this.#wrapped += 65536;
    this.#lastSequence = wireSequence;
    return { sequence: this.#wrapped + wireSequence, at: seconds * 1000, rttMs };
  }
}
