import { fileURLToPath } from 'node:url';
import type { Step } from '../handover/decision/desired.ts';
import { MIGRATION_UID_LABEL } from '../handover/decision/kubevirt.ts';
import { readYaml } from '../lab/knative/manifests.ts';
import { parseTrigger } from '../lab/knative/trigger.ts';
import type { Action, Kind } from './kubernetes.ts';

const STEPS: readonly Step[] = ['reuse-port', 'enable-dual-chassis', 'disable-dual-chassis', 'release-port'];

/** The project's own Triggers, as they are deployed. */
const triggers = await Promise.all(
  STEPS.map(async (step) => {
    const file = fileURLToPath(new URL(`../eventing/base/triggers/${step}.yaml`, import.meta.url));
    const [manifest] = await readYaml(file);
    return { step, wants: parseTrigger(manifest as never).wants };
  }),
);
const known = new Map<string, readonly Step[]>();

/** The functions that hear of a change: the source's selector on pods, then each Trigger's filters. */
export function wantsOf(
  kind: Kind,
  action: Action,
  object: { readonly metadata: { readonly labels?: Readonly<Record<string, string>> } },
): readonly Step[] {
  if (kind === 'Pod' && object.metadata.labels?.[MIGRATION_UID_LABEL] === undefined) return [];
  const key = `${kind} ${action}`;
  const found = known.get(key);
  if (found) return found;
  const attributes = { type: `dev.knative.apiserver.resource.${action}`, kind };
  const steps = triggers.filter(({ wants }) => wants(attributes)).map(({ step }) => step);
  known.set(key, steps);
  return steps;
}
