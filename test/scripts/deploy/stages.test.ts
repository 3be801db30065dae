import { expect, test } from '@jest/globals';
import { stagesOf, withPullSecret } from '../../../scripts/deploy/stages.ts';

const OVERLAY = `
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: reuse-port, annotations: {kafka.eventing.knative.dev/delivery.order: ordered}}
---
apiVersion: sources.knative.dev/v1
kind: ApiServerSource
metadata: {name: migrations}
---
apiVersion: v1
kind: Namespace
metadata: {name: ovn-handover}
---
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: {name: migrations}
---
apiVersion: sources.knative.dev/v1
kind: PingSource
metadata: {name: reconcile}
`;
const NOON = new Date('2026-12-01T12:00:00Z');

test('Triggers come after what functions run with, and sources last, each in the order of the overlay.', () => {
  expect(stagesOf(OVERLAY, NOON)).toMatchObject({
    base: [{ kind: 'Namespace' }, { kind: 'Broker' }],
    triggers: [{ kind: 'Trigger' }],
    sources: [{ kind: 'ApiServerSource' }, { kind: 'PingSource' }],
  });
});

test('A Trigger keeps its annotations and gets another one at each deployment.', () => {
  const annotations = (now: Date) => stagesOf(OVERLAY, now).triggers[0]?.metadata.annotations;
  expect(annotations(NOON)).toEqual({
    'kafka.eventing.knative.dev/delivery.order': 'ordered',
    'ovn-handover.dev/deployed-at': '2026-12-01T12:00:00.000Z',
  });
  expect(annotations(new Date(NOON.getTime() + 1_000))).not.toEqual(annotations(NOON));
});

test('a Secret to pull the image by is named at every ServiceAccount, and nothing else changes', () => {
  const overlay = `${OVERLAY}---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: reuse-port}\n`;
  const stages = stagesOf(overlay, NOON);
  const { base, ...rest } = withPullSecret(stages, 'registry');
  expect(base.at(-1)).toMatchObject({ kind: 'ServiceAccount', imagePullSecrets: [{ name: 'registry' }] });
  expect(base.slice(0, -1)).toEqual(stages.base.slice(0, -1));
  expect(rest).toEqual({ triggers: stages.triggers, sources: stages.sources });
});
