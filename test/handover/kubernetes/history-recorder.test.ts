import { expect, test } from '@jest/globals';
import type { HistoryEntry } from '../../../handover/decision/history.ts';
import { HistoryRecorder } from '../../../handover/kubernetes/history-recorder.ts';
import type { Kubernetes } from '../../../handover/kubernetes/kubernetes.ts';
import type { Log, LogFields } from '../../../handover/kubernetes/log.ts';
import { vmim } from '../../../testkit/moments.ts';

const first = vmim('01-pending');
const later = vmim('06-running');
const other = vmim('06-running', { metadata: { uid: 'another' } });
const at = '2026-11-30T10:00:01.000Z';

function recorder(recordHistory: (entry: HistoryEntry) => Promise<void>) {
  const warned: string[] = [];
  const warn = ({ vmim }: LogFields, line: string) => void warned.push(`${vmim}: ${line}`);
  const log = { warn } as unknown as Log;
  return { warned, history: new HistoryRecorder({ recordHistory } as unknown as Kubernetes, log) };
}

test('what a call adds to one record is written at once when it is over, onto the VMIM as it was read last', async () => {
  const written: HistoryEntry[] = [];
  const { history } = recorder(async (entry) => void written.push(entry));
  history.add([{ vmim: first, record: { pinned: { at } } }]);
  history.add([{ vmim: other, record: { dual: { at } } }]);
  history.add([{ vmim: later, record: { ungated: { at } } }]);
  expect(written).toEqual([]);
  await history.write();
  expect(written).toEqual([
    { vmim: later, record: { pinned: { at }, ungated: { at } } },
    { vmim: other, record: { dual: { at } } },
  ]);
});

test('a record that cannot be written is a line in the log, and no failure', async () => {
  const { history, warned } = recorder(async ({ vmim: { metadata } }) => {
    if (metadata.uid !== 'another') throw new Error('Kubernetes API: away');
  });
  history.add([{ vmim: first, record: { pinned: { at } } }]);
  history.add([{ vmim: other, record: { pinned: { at } } }]);
  await history.write();
  expect(warned).toEqual([`${first.metadata.name}: Kubernetes API: away`]);
});

test('what nobody could read again is left out, and the rest is written', async () => {
  const written: HistoryEntry[] = [];
  const { history } = recorder(async (entry) => void written.push(entry));
  history.add([
    { vmim: first, record: { dual: { at: 'the day before yesterday' } } },
    { vmim: first, record: { pinned: { at } } },
    { vmim: other, record: { switched: { at: '+275760-09-13T00:00:00.000Z' } } },
  ]);
  await history.write();
  expect(written).toEqual([{ vmim: first, record: { pinned: { at } } }]);
});
