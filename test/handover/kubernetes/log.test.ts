import { expect, test } from '@jest/globals';
import { type LogFields, logWith } from '../../../handover/kubernetes/log.ts';

test('each line of a log has what all have in common, and what is its own', () => {
  const lines: [string, LogFields, string][] = [];
  const line = (level: string) => (fields: LogFields, message: string) => void lines.push([level, fields, message]);
  const log = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
  const own = logWith(log, { function: 'reuse-port', vmi: 'prod/web-01' });
  own.debug({ rule: '3d' }, 'a');
  own.info({ vmi: 'prod/web-02' }, 'b');
  own.warn({}, 'c');
  own.error({}, 'd');
  const common = { function: 'reuse-port', vmi: 'prod/web-01' };
  expect(lines).toEqual([
    ['debug', { ...common, rule: '3d' }, 'a'],
    ['info', { ...common, vmi: 'prod/web-02' }, 'b'],
    ['warn', common, 'c'],
    ['error', common, 'd'],
  ]);
});
