import { setTimeout as sleep } from 'node:timers/promises';
import { DeployError, output } from './tools.ts';

const WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 1_000;
const DENIED = /admission webhook ".*" denied the request/;

/** What Knative itself forbids, and no schema in the API server does. */
const FORBIDDEN = [
  {
    part: 'Knative Serving',
    object: {
      apiVersion: 'serving.knative.dev/v1',
      kind: 'Service',
      metadata: { name: 'ovn-handover-check', annotations: { 'autoscaling.knative.dev/min-scale': '0' } },
      spec: { template: { spec: { containers: [{ image: 'none' }] } } },
    },
  },
  {
    part: 'Knative Eventing',
    object: {
      apiVersion: 'eventing.knative.dev/v1',
      kind: 'Trigger',
      metadata: { name: 'ovn-handover-check' },
      spec: { broker: 'none', subscriber: {} },
    },
  },
];

/**
 * Waits until Knative checks and completes what is applied. Before that it would let everything pass as it is, for good:
 * nobody looks at it again.
 */
export async function requireKnative(): Promise<void> {
  const giveUpAt = Date.now() + WITHIN_MS;
  for (const { part, object } of FORBIDDEN) {
    for (let answer = await dryRun(object); !DENIED.test(answer); answer = await dryRun(object)) {
      if (/no matches for kind|doesn't have a resource type/.test(answer))
        throw new DeployError(`${part} is not installed`);
      if (Date.now() > giveUpAt) throw new DeployError(`${part} does not check objects: ${answer}`);
      await sleep(LOOK_EVERY_MS);
    }
  }
}

/** @returns what the API server said; nothing is stored */
async function dryRun(object: object): Promise<string> {
  const create = ['-n', 'default', 'create', '--dry-run=server', '-f', '-'];
  return output('kubectl', create, JSON.stringify(object)).catch(({ stderr, message }) => stderr || message);
}
