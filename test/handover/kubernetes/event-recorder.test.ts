import { beforeEach, expect, test } from '@jest/globals';
import type { KubernetesEvent } from '../../../handover/decision/events.ts';
import { EventRecorder } from '../../../handover/kubernetes/event-recorder.ts';
import type { Kubernetes } from '../../../handover/kubernetes/kubernetes.ts';
import type { LogFields } from '../../../handover/kubernetes/log.ts';
import { VMI, VMI_UID, VMIM_UID } from '../../../testkit/moments.ts';

const PINNED: KubernetesEvent = { type: 'Normal', reason: 'PortPinned', message: 'pinned' };
const NO_PORT: KubernetesEvent = { type: 'Warning', reason: 'NoPort', message: 'no port' };

const MIGRATION = { name: 'migrate-web-01', uid: VMIM_UID };
const ABOUT = { vmi: VMI, uid: VMI_UID, migration: MIGRATION };

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
  const write =
    (level: string) =>
    ({ reason }: LogFields, message: string) =>
      void lines.push(`${level}: ${message} (${reason})`);
  const log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  recorder = new EventRecorder(kubernetes as unknown as Kubernetes, 'reuse-port', log);
});

test('what is recorded stands on the VMI and in the log, a warning as a warning', async () => {
  await recorder.record([PINNED, NO_PORT], ABOUT);
  expect(lines).toEqual(['debug: pinned (PortPinned)', 'warn: no port (NoPort)']);
  const context = { vmi: { ...VMI, uid: VMI_UID }, migration: MIGRATION, component: 'reuse-port' };
  expect(written).toEqual([
    [PINNED, context],
    [NO_PORT, context],
  ]);
});

test('the same line is recorded once in a call', async () => {
  await recorder.record([PINNED], ABOUT);
  await recorder.record([PINNED, NO_PORT], ABOUT);
  await recorder.record([], ABOUT);
  expect(lines).toEqual(['debug: pinned (PortPinned)', 'warn: no port (NoPort)']);
  expect(written).toHaveLength(2);
});

test('without a VMI the log alone has it', async () => {
  await recorder.record([PINNED], { ...ABOUT, uid: undefined });
  expect(lines).toEqual(['debug: pinned (PortPinned)']);
  expect(written).toEqual([]);
});

test('a line that cannot be written does not keep the others from it, and is a warning in the log', async () => {
  problem = new Error('Kubernetes API: away');
  await recorder.record([PINNED, NO_PORT], ABOUT);
  expect(written).toHaveLength(2);
  expect(lines).toEqual([
    'debug: pinned (PortPinned)',
    'warn: no port (NoPort)',
    'warn: Kubernetes API: away (PortPinned)',
    'warn: Kubernetes API: away (NoPort)',
  ]);
});
