import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fitting, type Placed, placeInRows, widthOf } from '../../../lab/report/labels.ts';

const FONT_SIZE = 12;
const RIGHT = 850;

interface Item {
  readonly x: number;
  readonly text: string;
}

function extent({ item, anchor }: Placed<Item>): [from: number, to: number] {
  const width = widthOf(item.text, FONT_SIZE);
  return anchor === 'start' ? [item.x, item.x + width] : [item.x - width, item.x];
}

describe('texts in rows', () => {
  const items = fc.array(
    fc.record({ x: fc.integer({ min: 250, max: RIGHT }), text: fc.string({ minLength: 1, maxLength: 30 }) }),
    { maxLength: 20 },
  );

  test('never touch each other and never leave the right edge', () => {
    fc.assert(
      fc.property(items, (list) => {
        const placed = placeInRows(list, { fontSize: FONT_SIZE, right: RIGHT });
        expect(placed).toHaveLength(list.length);
        for (const [index, one] of placed.entries()) {
          const [from, to] = extent(one);
          expect(to).toBeLessThanOrEqual(RIGHT);
          for (const other of placed.slice(index + 1).filter(({ row }) => row === one.row)) {
            const [otherFrom, otherTo] = extent(other);
            expect(to <= otherFrom || from >= otherTo).toBe(true);
          }
        }
      }),
    );
  });

  test('stay in one row as long as they have room', () => {
    const far = [0, 200, 400].map((x) => ({ x, text: 'Scheduling' }));
    expect(placeInRows(far, { fontSize: FONT_SIZE, right: RIGHT }).map(({ row }) => row)).toEqual([0, 0, 0]);
  });

  test('the earlier of two gives way downwards, so that its stroke passes the later one', () => {
    const close = [
      { x: 100, text: 'Pending' },
      { x: 104, text: 'Scheduling' },
    ];
    const rows = placeInRows(close, { fontSize: FONT_SIZE, right: RIGHT });
    expect(Object.fromEntries(rows.map(({ item, row }) => [item.text, row]))).toEqual({ Scheduling: 0, Pending: 1 });
  });

  test('one without room on its right goes to the left of its place', () => {
    const [placed] = placeInRows([{ x: 840, text: 'Succeeded' }], { fontSize: FONT_SIZE, right: RIGHT });
    expect(placed?.anchor).toBe('end');
  });
});

test('of several texts the first that fits is taken, and none if none does', () => {
  const texts = ['dual: target held by rarp', 'dual'];
  expect(fitting(texts, 300, FONT_SIZE)).toBe(texts[0]);
  expect(fitting(texts, 60, FONT_SIZE)).toBe('dual');
  expect(fitting(texts, 10, FONT_SIZE)).toBeUndefined();
});
