import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import {
  type AnyOperation,
  type DatabaseSchema,
  type InsertOf,
  OvsdbError,
  type TypedSchema,
  type UpdateOf,
  type Uuid,
} from '../../src/index.ts';
import { Inventory } from '../support/inventory.ts';
import { makeRandom } from '../support/random.ts';

const name = { type: 'string' } as const;
const note = { type: { key: 'string', min: 0, max: 1 } } as const;
const size = { type: 'integer' } as const;
const Item = (columns: object) => ({ columns: { name, ...columns }, isRoot: true });
const Old = { columns: { name }, isRoot: true };

/** What an upgrade may do: a column comes, another goes, a table goes; and all that backwards. */
const VERSIONS = [
  { name: 'Inventory', version: '1.0.0', tables: { Item: Item({ size }), Old } },
  { name: 'Inventory', version: '2.0.0', tables: { Item: Item({ size, note }), Old } },
  { name: 'Inventory', version: '3.0.0', tables: { Item: Item({ note }), Old } },
  { name: 'Inventory', version: '4.0.0', tables: { Item: Item({ note }) } },
] as const;

interface ItemRow {
  readonly _uuid: Uuid<'Item'>;
  readonly name: string;
  readonly note: string | undefined;
}
interface OldRow {
  readonly _uuid: Uuid<'Old'>;
  readonly name: string;
}
interface Tables {
  Item: { row: ItemRow; insert: InsertOf<ItemRow>; update: UpdateOf<ItemRow> };
  Old: { row: OldRow; insert: InsertOf<OldRow>; update: UpdateOf<OldRow> };
}
/** The client knows the second version without the column that goes. */
const schema = { ...VERSIONS[1], tables: { Item: Item({ note }), Old } } as DatabaseSchema as TypedSchema<Tables>;

export interface ConvertReport {
  conversions: number;
  seed: number;
  /** Transactions committed by writers meanwhile, and how many were rejected by a schema that had just come. */
  committed: number;
  rejected: number;
  problems: string[];
  seconds: number;
}

/** Converts a database forth and back while a cache, a monitor and writers go on, and compares what they have. */
export async function convertAtRandom(options: {
  conversions: number;
  seed: number;
  isClustered: boolean;
}): Promise<ConvertReport> {
  const { conversions, seed, isClustered } = options;
  const started = performance.now();
  const random = makeRandom(seed);
  await using inventory = await Inventory.start(VERSIONS[0], { isClustered });
  await using client = inventory.client();
  const db = client.typed(schema);
  await using cache = db.cache({ Item: { columns: ['name', 'note'] }, Old: {} });
  await cache.ready;
  await using monitor = client.monitor({ Item: {} });
  const followed = new Map<string, unknown>();
  const problems: string[] = [];
  const ended = (async () => {
    for await (const { kind, updates } of monitor) {
      if (kind === 'snapshot') followed.clear();
      for (const [id, update] of Object.entries(updates.Item ?? {})) {
        if ('delete' in update) followed.delete(id);
        else followed.set(id, (update.initial ?? update.insert)?.name ?? followed.get(id));
      }
    }
  })().catch((error) => problems.push(`the monitor ended: ${error}`));

  const figures = { committed: 0, rejected: 0 };
  let isDone = false;
  const write = async (writer: number): Promise<void> => {
    for (let n = 0; !isDone; n++) {
      const row = { name: `${writer}-${n}`, ...(n % 2 === 0 && { note: 'even' }) };
      try {
        await db.transact([db.insert('Item', row), ...(n % 5 === 0 ? [db.insert('Old', { name: row.name })] : [])]);
        figures.committed++;
      } catch (error) {
        if (!(error instanceof OvsdbError)) problems.push(`writer ${writer}: ${error}`);
        figures.rejected++;
      }
      await sleep(2);
    }
  };
  const writing = [0, 1, 2].map(write);

  let version = 0;
  for (let n = 0; n < conversions && problems.length === 0; n++) {
    await sleep(random() * 50);
    if (version === 0) version = 1;
    else if (version === VERSIONS.length - 1) version = 2;
    else version += random() < 0.5 ? 1 : -1;
    await using other = inventory.client();
    await other.convert(VERSIONS[version]);
    const about = `conversion ${n} to ${VERSIONS[version]!.version}`;
    await sleep(random() * 20);
    problems.push(...(await check(version, about)));
  }
  isDone = true;
  await Promise.all(writing);
  problems.push(...(await compare()));
  await monitor.close();
  await ended;
  return { conversions, seed, ...figures, problems, seconds: Math.round((performance.now() - started) / 1000) };

  async function compare(): Promise<string[]> {
    await using other = inventory.client();
    const [items] = await other.transact([{ op: 'select', table: 'Item', where: [], columns: ['_uuid', 'name'] }]);
    const truth = new Map(items!.rows!.map(({ _uuid, name }) => [(_uuid as [string, string])[1], name]));
    const deadline = performance.now() + 10_000;
    for (;;) {
      const cached = new Map([...cache.tables.Item].map(([id, row]) => [id, row.name]));
      const isSame =
        isDeepStrictEqual(sorted(cached), sorted(truth)) && isDeepStrictEqual(sorted(followed), sorted(truth));
      if (cache.isLive && isSame) return [];
      if (performance.now() > deadline) {
        return [`live ${cache.isLive}; ${truth.size} rows, ${cached.size} in the cache, ${followed.size} followed`];
      }
      await sleep(50);
    }
  }

  /** What the newest schema has can be written at once and is read soon; what it lacks cannot be written. */
  async function check(at: number, about: string): Promise<string[]> {
    const mark = `mark ${about}`;
    const found: string[] = [];
    const [hasNote, hasOld] = [at > 0, at < 3];
    const note = await canWrite(db.insert('Item', { name: mark, note: 'x' }));
    if (note !== hasNote) found.push(`${about}: a note was ${note ? '' : 'not '}written`);
    const old = await canWrite(db.insert('Old', { name: mark }));
    if (old !== hasOld) found.push(`${about}: a row of Old was ${old ? '' : 'not '}written`);
    const isSeen = async (): Promise<boolean> => {
      const rows = await db.transact([db.select('Item', [['name', '==', mark]], ['name', 'note'])]).catch(() => []);
      const isCached = [...cache.tables.Item.values()].some((row) => row.name === mark && row.note === 'x');
      const isRead = isDeepStrictEqual(rows, [hasNote ? [{ name: mark, note: 'x' }] : []]);
      return isRead && cache.isLive && isCached === hasNote && cache.tables.Old.size > 0 === hasOld;
    };
    const deadline = performance.now() + 10_000;
    while (!(await isSeen())) {
      if (performance.now() > deadline) return [...found, `${about}: not read, or not in the cache`];
      await sleep(10);
    }
    return found;
  }

  async function canWrite(operation: AnyOperation): Promise<boolean> {
    return await db.transact([operation]).then(
      () => true,
      (error) => {
        if (error instanceof OvsdbError) return false;
        throw error;
      },
    );
  }
}

function sorted(rows: ReadonlyMap<string, unknown>): [string, unknown][] {
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
}
