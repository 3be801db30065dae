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

type Word = 'committed' | 'rejected' | 'unknown' | 'not sent';

export interface IncrementsReport {
  increments: number;
  kills: number;
  words: Record<Word, number>;
  /** Unknown attempts that turned out to have been committed. */
  unknownButCommitted: number;
  counter: number;
  /** Attempts whose word was not true of the database in the end. */
  wrong: string[];
  seconds: number;
}

/**
 * Counts up in a cluster, each increment exactly once, while leaders are killed, once the majority is, and now and then
 * the followers hang. Every attempt leaves a mark in its own transaction; in the end each word that the client gave is
 * held against the marks.
 */
export async function countUnderFire({ increments = 1000, kills = 20, workers = 4 } = {}): Promise<IncrementsReport> {
  const started = performance.now();
  await using cluster = await Cluster.start(schema);
  const words = new Map<string, Word>();
  let next = 0;
  let done = 0;

  // Half of the workers take any member: on followers a rejection proves less.
  const work = async (worker: number): Promise<void> => {
    await using client = new OvsdbClient({
      remote: cluster.remote,
      database: schema.name,
      leaderOnly: worker % 2 === 0,
    });
    while (next < increments) {
      const increment = next++;
      for (let attempt = 0; ; attempt++) {
        const name = `${increment}/${attempt}`;
        const outcome = await tryIncrement(client, increment, name);
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
  let killed = 0;
  while (killed < kills) {
    // Spread over the work, so that each kill hits transactions in flight.
    while (done < (increments * killed) / (kills + 1)) await sleep(5);
    await killLeader(cluster, killed === Math.floor(kills / 2));
    killed++;
    if (killed % 5 === 0) await hangFollowers(cluster);
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
  return {
    increments,
    kills: killed,
    words: countWords(words),
    unknownButCommitted: [...words].filter(([name, word]) => word === 'unknown' && committed.has(name)).length,
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
): Promise<Word | 'done' | undefined> {
  const where = [['increment', '==', increment]] as const;
  const read: Operation[] = [
    { op: 'select', table: 'Counter', where: [], columns: ['value'] },
    { op: 'select', table: 'Mark', where, columns: ['attempt'] },
  ];
  let counter: WireRow;
  try {
    const [counters, marks] = await client.transact(read, { timeoutMs: 5000 });
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
      { timeoutMs: 5000 },
    );
    return 'committed';
  } catch (error) {
    if (error instanceof TransactionError) return 'rejected';
    if (error instanceof OutcomeUnknownError) return 'unknown';
    if (error instanceof ConnectError) return 'not sent';
    throw error;
  }
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
async function hangFollowers(cluster: Cluster): Promise<void> {
  const leader = await cluster.waitForLeader();
  const followers = cluster.members.filter((member) => member !== leader);
  for (const follower of followers) follower.pause();
  await sleep(2500);
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
