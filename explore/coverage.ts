/** What schedules are to come across. "Meanwhile" is: while a migration of that VM is not final. */
export const SITUATIONS = [
  'succeeds',
  'fails when gated',
  'fails when scheduled',
  'fails when plugged',
  'fails when handed off',
  'fails when copying',
  'is cancelled when gated',
  'is cancelled when scheduled',
  'is cancelled when plugged',
  'is cancelled when handed off',
  'is cancelled when copying',
  'is cancelled too late',
  'loses its target node',
  'goes back at once (A→B→A)',
  'hotplug',
  'two NICs',
  'target pod replaced',
  'target pod outlives its migration',
  'target pod forged',
  'completed source pod deleted',
  'VM deleted meanwhile',
  'VM restarted meanwhile',
  'guest dies meanwhile',
  'node of the guest lost meanwhile',
  'chassis gone meanwhile',
  'opted out meanwhile',
  'other writer binds the port meanwhile',
  'other writer adds keys meanwhile',
  'reconcile meanwhile',
  'migrates again after a restart',
  'event lost',
  'event twice',
  'event late',
  'request fails',
  'outcome unknown',
  'process killed',
] as const;

export type Situation = (typeof SITUATIONS)[number];

/** How many schedules came across each. */
export class Coverage {
  readonly #schedules = new Map<Situation, number>(SITUATIONS.map((situation) => [situation, 0]));

  /** @param met by one schedule */
  add(met: Iterable<Situation>): void {
    this.merge([...met].map((situation) => [situation, 1]));
  }

  merge(counts: readonly (readonly [Situation, number])[]): void {
    for (const [situation, count] of counts) this.#schedules.set(situation, this.#schedules.get(situation)! + count);
  }

  get counts(): [Situation, number][] {
    return [...this.#schedules];
  }

  toString(): string {
    const [never, met] = [this.counts.filter(([, count]) => count === 0), this.counts.filter(([, count]) => count > 0)];
    const line = `Schedules that came across: ${met.map(([situation, count]) => `${situation} ${count}`).join(' · ')}`;
    return never.length === 0
      ? line
      : `${line}\nNone came across: ${never.map(([situation]) => situation).join(' · ')}`;
  }
}
