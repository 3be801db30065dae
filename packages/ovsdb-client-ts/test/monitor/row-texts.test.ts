import fc from 'fast-check';
import { cutContents } from '../../src/monitor/row-texts.ts';
import { numRuns } from '../support/runs.ts';

const LAST_ID = '5e1f0c9a-3b7d-4c8e-9f10-a2b3c4d5e6f7';

type Tables = Record<string, Record<string, { initial: object }>>;

function cut(text: string): unknown {
  const [before, after] = ['{"id":7,"result":', ',"error":null}'];
  const contents = cutContents(`${before}${text}${after}`, before.length, before.length + text.length);
  if (contents === undefined) return undefined;
  const tables = [...contents.tables].map(([name, rows]) => {
    const parsed = [...rows].map(([id, row]) => [id, { initial: JSON.parse(row) }]);
    return [name, Object.fromEntries(parsed)];
  });
  return { lastId: contents.lastId, tables: Object.fromEntries(tables) };
}

const reply = (tables: Tables): string => JSON.stringify([false, LAST_ID, tables]);

/** Strings that look like the end of a row, of a table, or of all. */
const misleading = fc
  .array(
    fc.constantFrom('}', '}}', '}}}', '"', ',', ':', '{', '[', ']', '\\', '"initial":', `"${LAST_ID}":`, 'a', 'ü'),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));
const atom = fc.oneof(misleading, fc.string(), fc.integer(), fc.boolean());
const value = fc.oneof(
  atom,
  fc.array(atom).map((elements) => ['set', elements]),
  fc.array(fc.tuple(atom, atom)).map((pairs) => ['map', pairs]),
);
const row = fc.dictionary(fc.constantFrom('name', 'options', 'up', 'external_ids'), value);
const table = fc.dictionary(
  fc.uuid(),
  row.map((initial) => ({ initial })),
  { minKeys: 1 },
);
const tables = fc.dictionary(fc.constantFrom('Logical_Switch_Port', 'ACL', '_x'), table) as fc.Arbitrary<Tables>;

it('cuts contents into the rows that JSON.parse finds, whatever their strings look like', () => {
  fc.assert(
    fc.property(tables, (contents) => {
      expect(cut(reply(contents))).toEqual({ lastId: LAST_ID, tables: { ...contents } });
    }),
    { numRuns },
  );
}, 600_000);

it.each([
  ['changes since a transaction', JSON.stringify([true, LAST_ID, {}])],
  ['the reply of monitor_cond', JSON.stringify({ T: { [LAST_ID]: { initial: {} } } })],
  ['a row that was inserted', JSON.stringify([false, LAST_ID, { T: { [LAST_ID]: { insert: {} } } }])],
  ['spaces', JSON.stringify([false, LAST_ID, { T: { [LAST_ID]: { initial: {} } } }], null, 1)],
  ['something behind the tables', JSON.stringify([false, LAST_ID, { T: { [LAST_ID]: { initial: {} } } }, 1])],
  ['an empty table', JSON.stringify([false, LAST_ID, { T: {} }])],
])('leaves %s to JSON.parse', (_what, text) => {
  expect(cut(text)).toBeUndefined();
});
