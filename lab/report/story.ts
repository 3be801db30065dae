import type { InterfaceResult, MigrationResult, Report } from '../migrate/result.ts';

/** A stretch of time, ms on the clock of its migration: 0 is the creation of the VMIM. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** What a stretch is coloured by: whose it is, or what is wrong in it. */
export type Tone = 'source' | 'target' | 'dual' | 'unbound' | 'held' | 'alarm' | 'function' | 'faint';

export type Shape = 'band' | 'stroke' | 'dot';
/** Something that is drawn, by its shape and colour. */
export type Sign = 'ping' | 'lost' | 'silence' | 'moment' | `${Shape}:${Tone}`;

/** A stretch in which something holds. */
export interface Band extends Stretch {
  readonly tone: Tone;
  /** The same in more and in less words; the first that fits is shown. */
  readonly labels: readonly string[];
}

/** What was measured, from the creation of the VMIM to the last ping. */
export function measured({ pings, bindings }: InterfaceResult): Stretch {
  return { from: 0, to: Math.max(pings.at(-1)?.[0] ?? 0, bindings.at(-1)?.atMs ?? 0, 1) };
}

export function silence({ outageAtMs, outageMs }: InterfaceResult): Stretch {
  return { from: outageAtMs, to: outageAtMs + outageMs };
}

/** How the port is bound (OVN NB). */
export function bindingBands(result: InterfaceResult): Band[] {
  const source = sourceChassis(result);
  return stretches(result.bindings, measured(result), ({ requestedChassis, activationStrategy }) => {
    if (requestedChassis === undefined) return { tone: 'unbound', labels: ['unbound'] };
    if (requestedChassis.includes(',')) {
      const hold = activationStrategy === undefined ? 'both open' : `target held by ${activationStrategy}`;
      return { tone: 'dual', labels: [`dual: ${hold}`, 'dual'] };
    }
    const tone = requestedChassis === source ? 'source' : 'target';
    return { tone, labels: [`pinned to ${requestedChassis}`, 'pinned'] };
  });
}

/** Whether the target's chassis has claimed the port, and lets the guest's frames through (OVN SB). */
export function targetBands(result: InterfaceResult): Band[] {
  const source = sourceChassis(result);
  const strategyAt = (atMs: number) => result.bindings.findLast((binding) => binding.atMs <= atMs)?.activationStrategy;
  return stretches(result.claims, measured(result), ({ atMs, chassis, additionalChassis, activated }) => {
    const target = [chassis, ...additionalChassis].find((name) => name !== undefined && name !== source);
    if (target === undefined) return { tone: 'unbound', labels: ['not claimed'] };
    const held = chassis !== target && !activated.includes(target) && strategyAt(atMs) !== undefined;
    return held
      ? { tone: 'held', labels: [`claimed by ${target}, held closed`, 'held closed', 'held'] }
      : { tone: 'target', labels: [`open on ${target}`, 'open'] };
  });
}

/** What holds the target pod back from its node. */
export function gateBands({ gates = [], ...result }: MigrationResult): Band[] {
  if (!gates.some(({ held }) => held.length > 0)) return [];
  return stretches(gates, measured(worstInterface(result)), ({ held }) => {
    if (held.length === 0) return { tone: 'target', labels: ['may go to its node', 'open'] };
    const names = held.map((gate) => gate.replace(/^.*\//, ''));
    return { tone: 'held', labels: [`held by ${names.join(' and ')}`, names.join(', '), 'held'] };
  });
}

/** Where the guest runs. */
export function guestBands(result: MigrationResult): Band[] {
  const { from, to } = measured(worstInterface(result));
  const { switchedAtMs = to, guestBlackoutMs = 0 } = result;
  const stoppedAtMs = switchedAtMs - guestBlackoutMs;
  const bands: Band[] = [
    { from, to: stoppedAtMs, tone: 'source', labels: [`runs on ${result.from}`, result.from] },
    { from: stoppedAtMs, to: switchedAtMs, tone: 'alarm', labels: ['runs nowhere', 'nowhere'] },
    { from: switchedAtMs, to, tone: 'target', labels: [`runs on ${result.to}`, result.to] },
  ];
  return bands.filter((band) => band.to > band.from);
}

/** Whether the guest was switched in the longest silence or within so much of it: another silence has another cause. */
export function isAtSwitch(
  result: MigrationResult,
  around: { readonly before: number; readonly after: number },
): boolean {
  const { from, to } = silence(worstInterface(result));
  const { switchedAtMs = Number.NaN } = result;
  return switchedAtMs >= from - around.before && switchedAtMs <= to + around.after;
}

/** When the guest's RARP opened the target's side. */
export function openedAt({ claims }: InterfaceResult): number | undefined {
  return claims.find(({ atMs, activated }) => atMs >= 0 && activated.length > 0)?.atMs;
}

/** The migration whose outage is the median of its run: none is shown for being the best. */
export function typical({ migrations }: Report): MigrationResult | undefined {
  const sorted = migrations.toSorted((a, b) => worstInterface(a).outageMs - worstInterface(b).outageMs);
  return sorted[Math.floor((sorted.length - 1) / 2)];
}

/** The interface that was silent for longest. */
export function worstInterface({ interfaces: [first, ...others] }: MigrationResult): InterfaceResult {
  return others.reduce((worst, one) => (one.outageMs > worst.outageMs ? one : worst), first);
}

/** The chassis that had claimed the port when the migration began. */
function sourceChassis({ claims }: InterfaceResult): string | undefined {
  return (claims.findLast(({ atMs }) => atMs <= 0) ?? claims[0])?.chassis;
}

/** From states that were seen at moments to the bands in which they held; neighbours that look the same are one. */
function stretches<T extends { readonly atMs: number }>(
  seen: readonly T[],
  span: Stretch,
  look: (state: T) => Pick<Band, 'tone' | 'labels'>,
): Band[] {
  const bands: Band[] = [];
  for (const [index, state] of seen.entries()) {
    const from = Math.max(span.from, state.atMs);
    const to = Math.min(span.to, seen[index + 1]?.atMs ?? span.to);
    if (to <= from) continue;
    const band = { from, to, ...look(state) };
    const last = bands.at(-1);
    if (last?.labels[0] === band.labels[0]) bands[bands.length - 1] = { ...band, from: last!.from };
    else bands.push(band);
  }
  return bands;
}
