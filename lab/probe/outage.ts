/** An answer that came; `sequence` counts the questions from 1. */
export interface Answer {
  readonly sequence: number;
  /** When it came, ms since the epoch. */
  readonly at: number;
}

/** A stretch of time, ms since the epoch. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * The longest stretch without an answer inside `span`. The stretches before the first answer and after the last one
 * count too, so silence that never ends counts up to the span's end.
 */
export function longestSilence(answers: readonly Answer[], span: Span): Span & { readonly ms: number } {
  const inside = answers.map(({ at }) => at).filter((at) => at > span.from && at < span.to);
  const moments = [span.from, ...inside.sort((a, b) => a - b), span.to];
  let longest = { from: span.from, to: span.from, ms: 0 };
  for (const [index, to] of moments.entries()) {
    const from = moments[index - 1] ?? to;
    if (to - from > longest.ms) longest = { from, to, ms: to - from };
  }
  return longest;
}

/**
 * How many questions got no answer inside `span`: those between its last answer before and its first answer after, or
 * up to the last that was asked when none came after.
 *
 * @param asked number of questions in all.
 */
export function lostAnswers(answers: readonly Answer[], asked: number, span: Span): number {
  const before = answers.filter(({ at }) => at <= span.from).map(({ sequence }) => sequence);
  const after = answers.filter(({ at }) => at >= span.to).map(({ sequence }) => sequence);
  const first = before.reduce((a, b) => Math.max(a, b), 0) + 1;
  const last = after.reduce((a, b) => Math.min(a, b), asked + 1) - 1;
  const answered = new Set(answers.map(({ sequence }) => sequence).filter((one) => one >= first && one <= last));
  return Math.max(0, last - first + 1 - answered.size);
}
