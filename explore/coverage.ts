/** What schedules are to come across. "Meanwhile" is: while a migration of that VM is not final. */
export const COVERAGE_POINTS = [
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
  'NIC plugged in by a migration',
  'VM without ports',
  'VMIM without label',
  "target on the source's node",
  'decentralized migration',
  'target pod replaced',
  'target pod outlives its migration',
  'target pod forged',
  'completed source pod deleted',
  'completed pod deleted while another migration copies',
  'VM deleted meanwhile',
  'VM restarted meanwhile',
  'guest dies meanwhile',
  'node of the guest lost meanwhile',
  'chassis gone meanwhile',
  'chassis renamed',
  'remote chassis of the same hostname',
  'opted out meanwhile',
  'other writer binds the port meanwhile',
  'other writer adds keys meanwhile',
  'other writer takes the record off meanwhile',
  'neighbour wipes external_ids',
  'neighbour wipes external_ids meanwhile',
  'neighbour strips the binding',
  'neighbour strips the binding meanwhile',
  'neighbour strips a dual binding',
  'neighbour strips after the RARP',
  'neighbour undoes a write of ours',
  'neighbour undoes a write of ours meanwhile',
  'neighbour undoes a release',
  'claim missed by OVN',
  'sweep meanwhile',
  'migrates again after a restart',
  'event lost',
  'event twice',
  'event late',
  'sweep lost',
  'cold start',
  'API path not served',
  'request fails',
  'commit unknown',
  'process killed',
] as const;

export type CoveragePoint = (typeof COVERAGE_POINTS)[number];

/** How many schedules came across each. */
export class Coverage {
  readonly #schedules = new Map<CoveragePoint, number>(COVERAGE_POINTS.map((point) => [point, 0]));

  /** @param covered by one schedule */
  add(covered: Iterable<CoveragePoint>): void {
    this.merge([...covered].map((point) => [point, 1]));
  }

  merge(counts: readonly (readonly [CoveragePoint, number])[]): void {
    for (const [point, count] of counts) this.#schedules.set(point, this.#schedules.get(point)! + count);
  }

  get counts(): [CoveragePoint, number][] {
    return [...this.#schedules];
  }

  toString(): string {
    const [never, some] = [
      this.counts.filter(([, count]) => count === 0),
      this.counts.filter(([, count]) => count > 0),
    ];
    const line = `Schedules that came across: ${some.map(([point, count]) => `${point} ${count}`).join(' · ')}`;
    return never.length === 0 ? line : `${line}\nNone came across: ${never.map(([point]) => point).join(' · ')}`;
  }
}
