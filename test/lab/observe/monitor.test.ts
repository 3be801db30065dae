import { expect, test } from '@jest/globals';
import { parseUpdate } from '../../../lab/observe/monitor.ts';

const headings = ['row', 'action', 'name', 'options'];

test('the rows that are there at first are changes too', () => {
  const line = JSON.stringify({ data: [['id-1', 'initial', 'web-01.prod', ['map', []]]], headings });
  expect(parseUpdate(line)).toEqual([{ uuid: 'id-1', row: { name: 'web-01.prod', options: ['map', []] } }]);
});

test('of a row that changed only the new state is told, under its uuid', () => {
  const data = [
    ['id-1', 'old', null, ['map', []]],
    ['', 'new', 'web-01.prod', ['map', [['requested-chassis', 'chassis-1']]]],
  ];
  expect(parseUpdate(JSON.stringify({ data, headings }))).toEqual([
    { uuid: 'id-1', row: { name: 'web-01.prod', options: ['map', [['requested-chassis', 'chassis-1']]] } },
  ]);
});

test('a deleted row has no state', () => {
  const line = JSON.stringify({ data: [['id-1', 'delete', 'web-01.prod', ['map', []]]], headings });
  expect(parseUpdate(line)).toEqual([{ uuid: 'id-1', row: undefined }]);
});
