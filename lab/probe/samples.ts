import type { Span } from './outage.ts';
import type { PingResult } from './ping.ts';

/**
 * Every request that was sent inside `span`: when, ms since the epoch, and its round trip, ms, or `null` when no answer
 * came. ping tells the times of answers only, so lost requests lie evenly between those that were answered.
 */
export function pingSamples({ answers, sent }: PingResult, span: Span): [sentAt: number, rttMs: number | null][] {
  const answered = answers
    .map(({ sequence, at, rttMs }) => ({ sequence, sentAt: at - rttMs, rttMs }))
    .sort((a, b) => a.sequence - b.sequence);
  const samples: [number, number | null][] = [];
  let before = { sequence: 0, sentAt: span.from };
  for (const after of [...answered, { sequence: sent + 1, sentAt: span.to, rttMs: null }]) {
    const step = (after.sentAt - before.sentAt) / (after.sequence - before.sequence);
    for (let lost = 1; lost < after.sequence - before.sequence; lost++) {
      samples.push([before.sentAt + lost * step, null]);
    }
    if (after.rttMs !== null) samples.push([after.sentAt, after.rttMs]);
    before = after;
  }
  return samples.filter(([sentAt]) => sentAt >= span.from && sentAt <= span.to);
}
