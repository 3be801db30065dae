import { beforeEach, expect, test } from '@jest/globals';
import type { KubernetesEvent } from '../../../handover/decision/events.ts';
import { EventRecorder } from '../../../handover/kubernetes/event-recorder.ts';
import type { Kubernetes } from '../../../handover/kubernetes/kubernetes.ts';
import { VMI, VMI_UID } from '../../../testkit/moments.ts';

const PINNED: KubernetesEvent = { type: 'Normal', reason: 'PortPinned', message: 'pinned' };
const NO_PORT: KubernetesEvent = { type: 'Warning', reason: 'NoPort', message: 'no port' };

let lines: string[];
let written: unknown[][];
let problem: Error | undefined;
let recorder: EventRecorder;
beforeEach(() => {
  [lines, written, problem] = [[], [], undefined];
  const kubernetes = {
    async record(...line: unknown[]) {
      written.push(line);
      if (problem) throw problem;
    },
  };
  const write = (level: string) => (message: string) => void lines.push(`${level}: ${message}`);
  const log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  recorder = new EventRecorder(kubernetes as unknown as Kubernetes, 'reuse-port', log);
});

test('what is recorded stands on the VMI and in the log, a warning as a warning', async () => {
  await recorder.record(VMI, VMI_UID, [PINNED, NO_PORT]);
  expect(lines).toEqual(['info: pinned', 'warn: no port']);
  const vmi = { ...VMI, uid: VMI_UID };
  expect(written).toEqual([
    [vmi, 'reuse-port', PINNED],
    [vmi, 'reuse-port', NO_PORT],
  ]);
});

test('the same line is recorded once in a call', async () => {
  await recorder.record(VMI, VMI_UID, [PINNED]);
  await recorder.record(VMI, VMI_UID, [PINNED, NO_PORT]);
  await recorder.record(VMI, VMI_UID, []);
  expect(lines).toEqual(['info: pinned', 'warn: no port']);
  expect(written).toHaveLength(2);
});

test('without a VMI the log alone has it', async () => {
  await recorder.record(VMI, undefined, [PINNED]);
  expect(lines).toEqual(['info: pinned']);
  expect(written).toEqual([]);
});

test('a line that cannot be written does not keep the others from it, and is a warning in the log', async () => {
  problem = new Error('Kubernetes API: away');
  await recorder.record(VMI, VMI_UID, [PINNED, NO_PORT]);
  expect(written).toHaveLength(2);
  expect(lines).toEqual(['info: pinned', 'warn: no port', 'warn: Kubernetes API: away', 'warn: Kubernetes API: away']);
});
