import { readFileSync } from 'node:fs';
import { type Facts, factsOf, type Objects } from '../handover/decision/facts.ts';
import {
  OPT_IN_ANNOTATION,
  type OwnerReference,
  type Pod,
  type VirtualMachineInstance,
  type VirtualMachineInstanceMigration,
} from '../handover/decision/kubevirt.ts';

/** One VM, `prod/web-01`, and its migration from worker-a to worker-b: what the fixtures are of. */
export const VMI = { namespace: 'prod', name: 'web-01' };
export const VMI_UID = '5d0c1b7e-3f1c-4f0d-8f7b-0f6f3b6a1c22';
export const VMIM_UID = '8ef4de20-8e75-490e-82ad-b61f60238d6e';

interface Change {
  readonly metadata?: object;
  readonly spec?: object;
  readonly status?: object;
}

/** An object as KubeVirt has it at one moment, with fields of its parts replaced; a VMI is opted in. */
export function object(name: string, change: Change = {}): Record<string, unknown> & { metadata: object } {
  const fixture = JSON.parse(readFileSync(new URL(`fixtures/kubevirt/${name}.json`, import.meta.url), 'utf8'));
  if (fixture.kind === 'VirtualMachineInstance') fixture.metadata.annotations[OPT_IN_ANNOTATION] = '';
  return {
    ...fixture,
    metadata: { ...fixture.metadata, ...change.metadata },
    spec: { ...fixture.spec, ...change.spec },
    status: { ...fixture.status, ...change.status },
  };
}

export const vmi = (name: string, change?: Change) =>
  object(`vmi-${name}`, change) as unknown as VirtualMachineInstance;
export const vmim = (name: string, change?: Change) =>
  object(`vmim-${name}`, change) as unknown as VirtualMachineInstanceMigration;
export const pod = (name: string, change?: Change) => object(`pod-${name}`, change) as unknown as Pod;

/** Everything that Kubernetes has of the VM while nothing moves. */
export const IDLE: Objects = { vmi: vmi('01-idle'), migrations: [], pods: [pod('source-running')] };

/** Seconds after the migration of the fixtures: its source pod has just ended. */
export const NOW = Date.parse('2026-08-20T10:00:30Z');

/** The same with the given objects in place of those of the idle VM. */
export function factsAt(objects: Partial<Objects>, now = NOW): Facts {
  return factsOf({ ...IDLE, ...objects }, now);
}

/** Each moment of a migration from worker-a to worker-b that succeeds, in KubeVirt's own order. */
export function migration(): readonly (Objects & { readonly moment: string })[] {
  const source = pod('source-running');
  const at = (moment: string, vmim_: string, vmi_: string, ...pods: Pod[]) => ({
    moment,
    migrations: [vmim(vmim_)],
    vmi: vmi(vmi_),
    pods,
  });
  return [
    at('VMIM created', '01-pending', '01-idle', source),
    at('target pod created', '01-pending', '01-idle', source, pod('target-01-created-unscheduled')),
    at('target pod unschedulable', '02-scheduling', '01-idle', source, pod('target-01b-unschedulable')),
    at('target pod scheduled', '02-scheduling', '01-idle', source, pod('target-02-scheduled')),
    at('target pod running', '03-scheduled', '01-idle', source, pod('target-03-running')),
    at('hand-off', '04-preparingtarget', '02-handoff', source, pod('target-03-running')),
    at('target ready', '05-targetready', '03-targetready', source, pod('target-03-running')),
    at('memory is copied', '06-running', '04-running', source, pod('target-03-running')),
    at('guest runs on the target', '06-running', '05-switched-domain-ready', source, pod('target-03-running')),
    at('target pod annotated', '06-running', '05-switched-domain-ready', source, pod('target-04-domain-ready')),
    at(
      'node moved',
      '06-running',
      '06-acked-nodename-moved-not-completed',
      pod('source-completed'),
      pod('target-04-domain-ready'),
    ),
    at('completed', '06-running', '07-completed', pod('source-completed'), pod('target-04-domain-ready')),
    at(
      'succeeded',
      '07a-succeeded-first-event',
      '07-completed',
      pod('source-completed'),
      pod('target-05-active-after-migration'),
    ),
  ];
}

/** The objects of one moment of {@link migration}. */
export function moment(name: string): Objects {
  const found = migration().find((objects) => objects.moment === name);
  if (!found) throw new Error(`no moment ${name}; there are ${migration().map((objects) => objects.moment)}`);
  return found;
}

/** The reference by which a VMI controls its launcher pods. */
export const owner = (change: Partial<OwnerReference>): OwnerReference => ({
  apiVersion: 'kubevirt.io/v1',
  kind: 'VirtualMachineInstance',
  name: 'web-01',
  uid: VMI_UID,
  controller: true,
  ...change,
});
