import { setTimeout as sleep } from 'node:timers/promises';
import {
  ConnectError,
  type Operation,
  OutcomeUnknownError,
  OvsdbClient,
  TransactionError,
  type WireRow,
} from '../../src/index.ts';
import { Cluster } from '../support/cluster.ts';

const schema = {
  name: 'Counting',
  version: '1.0.0',
  tables: {
    Counter: { columns: { value: { type: 'integer' } }, isRoot: true, maxRows: 1 },
    Mark: {
      columns: { increment: { type: 'integer' }, attempt: { type: 'string' } },
      isRoot: true,
      indexes: [['increment']],
    },
  },
};

/** Longer than followers hang and a new leader is chosen: what was in flight then is to get its answer. */
const TIMEOUT_MS = 9000;

type Word = 'committed' | 'rejected' | 'unknown' | 'not sent';

export interface IncrementsReport {
  increments: number;
  kills: number;
  hangs: number;
  words: Record<Word, number>;
  /** Unknown attempts that turned out to have been committed. */
  unknownButCommitted: number;
  /** Those of them that the server reported as rejected. */
  rejectedButCommitted: number;
  counter: number;
  /** Attempts whose word was not true of the database in the end. */
  wrong: string[];
  seconds: number;
}

export interface IncrementsOptions {
  increments?: number;
  workers?: number;
  /** How often the leader is killed, once of these together with another member. */
  kills?: number;
  /** How often the followers hang. */
  hangs?: number;
  /** Whether the workers reach the cluster by a relay only. */
  byRelay?: boolean;
}

type Fault = (cluster: Cluster) => Promise<void>;

/**
 * Counts up in a cluster, each increment exactly once, while leaders are killed, once the majority is, and the
 * followers hang. Every attempt leaves a mark in its own transaction; in the end each word that the client gave is
 * held against the marks.
 */
export async function countUnderFire(options: IncrementsOptions): Promise<IncrementsReport> {
  const { increments = 1000, workers = 4, kills = 0, hangs = 0, byRelay = false } = options;
  const started = performance.now();
  await using cluster = await Cluster.start(schema);
  await using relay = byRelay ? await cluster.startRelay() : undefined;
  const words = new Map<string, Word>();
  const rejected = new Set<string>();
  let next = 0;
  let done = 0;

  // Half of the workers take any member: on followers a rejection proves less.
  const work = async (worker: number): Promise<void> => {
    await using client = new OvsdbClient({
      remote: relay?.remote ?? cluster.remote,
      database: schema.name,
      leaderOnly: worker % 2 === 0,
    });
    while (next < increments) {
      const increment = next++;
      for (let attempt = 0; ; attempt++) {
        const name = `${increment}/${attempt}`;
        const outcome = await tryIncrement(client, increment, name, () => rejected.add(name));
        if (outcome === 'done') break;
        if (outcome !== undefined) words.set(name, outcome);
        if (outcome === 'committed') break;
      }
      done++;
    }
  };

  const setUp = new OvsdbClient({ remote: cluster.remote, database: schema.name });
  await setUp.transact([{ op: 'insert', table: 'Counter', row: { value: 0 } }], { timeoutMs: 30_000 });
  const working = Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)));
  working.catch(() => undefined);
  const faults = [
    ...Array.from({ length: kills }, (_, n): Fault => {
      const isMajority = n === Math.floor(kills / 2);
      return (it) => killLeader(it, isMajority);
    }),
    ...Array.from({ length: hangs }, (): Fault => (it) => hangFollowers(it, byRelay ? 3500 : 2500)),
  ];
  for (const [n, fault] of mix(faults).entries()) {
    // Spread over the work, so that each one hits transactions in flight.
    while (done < (increments * n) / (faults.length + 1)) await sleep(5);
    await fault(cluster);
  }
  await working;
  await cluster.waitForLeader();
  const [counters, marks] = await setUp.transact(
    [
      { op: 'select', table: 'Counter', where: [] },
      { op: 'select', table: 'Mark', where: [] },
    ],
    { timeoutMs: 30_000 },
  );
  await setUp.close();
  const committed = new Set(marks!.rows!.map(({ attempt }) => String(attempt)));
  const committedAfterAll = [...words].filter(([name, word]) => word === 'unknown' && committed.has(name));
  return {
    increments,
    kills,
    hangs,
    words: countWords(words),
    unknownButCommitted: committedAfterAll.length,
    rejectedButCommitted: committedAfterAll.filter(([name]) => rejected.has(name)).length,
    counter: Number(counters!.rows![0]!.value),
    wrong: [...words]
      .filter(([name, word]) => isWrong(word, committed.has(name)))
      .map(([name, word]) => `${name}: ${word}`),
    seconds: Math.round((performance.now() - started) / 1000),
  };
}

/** One attempt: the word for it, 'done' when an earlier one had succeeded, nothing when it did not come to one. */
async function tryIncrement(
  client: OvsdbClient,
  increment: number,
  attempt: string,
  onUnprovenRejection: () => void,
): Promise<Word | 'done' | undefined> {
  const where = [['increment', '==', increment]] as const;
  const read: Operation[] = [
    { op: 'select', table: 'Counter', where: [], columns: ['value'] },
    { op: 'select', table: 'Mark', where, columns: ['attempt'] },
  ];
  let counter: WireRow;
  try {
    const [counters, marks] = await client.transact(read, { timeoutMs: TIMEOUT_MS });
    if (marks!.rows!.length > 0) return 'done';
    counter = counters!.rows![0]!;
  } catch (error) {
    if (error instanceof ConnectError || error instanceof OutcomeUnknownError) return undefined;
    throw error;
  }
  try {
    await client.transact(
      [
        { op: 'wait', table: 'Counter', where: [], columns: ['value'], until: '==', rows: [counter], timeout: 0 },
        { op: 'update', table: 'Counter', where: [], row: { value: Number(counter.value) + 1 } },
        { op: 'insert', table: 'Mark', row: { increment, attempt } },
      ],
      { timeoutMs: TIMEOUT_MS },
    );
    return 'committed';
  } catch (error) {
    if (error instanceof TransactionError) return 'rejected';
    if (error instanceof ConnectError) return 'not sent';
    if (!(error instanceof OutcomeUnknownError)) throw error;
    if (error.cause instanceof TransactionError) onUnprovenRejection();
    return 'unknown';
  }
}

/** Every fifth is taken from the end, so that the kinds alternate. */
function mix<T>(items: readonly T[]): T[] {
  const rest = [...items];
  return items.map((_, n) => (n % 5 === 4 ? rest.pop() : rest.shift())!);
}

async function killLeader(cluster: Cluster, alsoAnother: boolean): Promise<void> {
  const leader = await cluster.waitForLeader();
  const victims = [leader];
  if (alsoAnother) victims.push(cluster.members.find((member) => member !== leader)!);
  for (const victim of victims) await victim.kill();
  if (alsoAnother) await sleep(4000);
  else await cluster.waitForLeader();
  for (const victim of victims) await victim.start();
}

/** Long enough for the leader to give up its office with transactions in flight, short enough for them to wait. */
async function hangFollowers(cluster: Cluster, forMs: number): Promise<void> {
  const leader = await cluster.waitForLeader();
  const followers = cluster.members.filter((member) => member !== leader);
  for (const follower of followers) follower.pause();
  await sleep(forMs);
  for (const follower of followers) follower.resume();
  await cluster.waitForLeader();
}

function isWrong(word: Word, isCommitted: boolean): boolean {
  if (word === 'unknown') return false;
  return (word === 'committed') !== isCommitted;
}

function countWords(words: ReadonlyMap<string, Word>): Record<Word, number> {
  const counts: Record<Word, number> = { committed: 0, rejected: 0, unknown: 0, 'not sent': 0 };
  for (const word of words.values()) counts[word]++;
  return counts;
}
