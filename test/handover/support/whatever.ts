import fc from 'fast-check';
import { type Facts, factsOf, type Objects } from '../../../handover/decision/facts.ts';
import { MIGRATION_UID_LABEL, OPT_IN_ANNOTATION, type Pod } from '../../../handover/decision/kubevirt.ts';
import type { PortRecord } from '../../../handover/decision/record.ts';

/** Few values, so that they meet: names of nodes, uids of VMIs and of VMIMs. */
const node = fc.constantFrom('a', 'b', 'c');
const vmiUid = fc.constantFrom('vmi-1', 'vmi-2');
const vmimUid = fc.constantFrom('m-1', 'm-2');
export const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const phase = fc.constantFrom(undefined, 'Pending', 'Scheduling', 'Running', 'Succeeded', 'Failed');
const date = fc.constantFrom('2026-08-20T10:00:00Z', '2026-08-20T11:00:00Z');

export const record: fc.Arbitrary<PortRecord> = fc.record({
  vmi: vmiUid,
  migration: vmimUid,
  binding: fc.constantFrom('pinned', 'dual'),
  source: node,
  target: maybe(node),
});

export const vmi = fc
  .record({ uid: vmiUid, optedIn: fc.boolean(), phase, node: maybe(node), state: maybe(vmimUid), ready: fc.boolean() })
  .map(({ uid, optedIn, phase, node, state, ready }) => ({
    metadata: { name: 'vm', namespace: 'ns', uid, annotations: optedIn ? { [OPT_IN_ANNOTATION]: '' } : {} },
    status: {
      ...(phase && { phase }),
      ...(node && { nodeName: node }),
      ...(state && {
        migrationState: {
          migrationUid: state,
          ...(ready && { targetNodeDomainReadyTimestamp: '2026-08-20T10:00:19Z' }),
        },
      }),
    },
  }));

export const vmim = fc
  .record({ uid: vmimUid, deleting: fc.boolean(), phase, date, vmiName: fc.constantFrom('vm', 'vm', 'other') })
  .map(({ uid, deleting, phase, date, vmiName }) => ({
    metadata: {
      name: uid,
      namespace: 'ns',
      uid,
      creationTimestamp: date,
      ...(deleting && { deletionTimestamp: date }),
    },
    spec: { vmiName },
    status: { ...(phase && { phase }) },
  }));

export const pod: fc.Arbitrary<Pod> = fc
  .record({
    name: fc.constantFrom('p-1', 'p-2', 'p-3'),
    owner: vmiUid,
    controller: fc.boolean(),
    job: maybe(vmimUid),
    node: maybe(node),
    ready: fc.boolean(),
    deleting: fc.boolean(),
    phase,
    date,
  })
  .map(({ name, owner, controller, job, node, ready, deleting, phase, date }) => ({
    metadata: {
      name,
      namespace: 'ns',
      uid: name,
      creationTimestamp: date,
      ...(deleting && { deletionTimestamp: date }),
      labels: { ...(job && { 'kubevirt.io/migrationJobUID': job }) },
      annotations: { ...(ready && { 'kubevirt.io/migration-target-ready-timestamp': 'then' }) },
      ownerReferences: [
        { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance', name: 'vm', uid: owner, controller },
      ],
    },
    spec: { ...(node && { nodeName: node }) },
    status: { ...(phase && { phase }) },
  }));

const anything: fc.Arbitrary<Objects> = fc.record({
  vmi: maybe(vmi),
  migrations: fc.array(vmim, { maxLength: 3 }),
  pods: fc.array(pod, { maxLength: 4 }),
});

/** A VM that migrates, with a source and a target pod: of anything, one in 20,000 has all that makes a port dual. */
const migrating: fc.Arbitrary<Objects> = fc
  .record({ vmi, vmim, source: pod, target: pod, node, others: fc.array(pod, { maxLength: 2 }) })
  .map(({ vmi, vmim, source, target, node, others }) => ({
    vmi: { ...vmi, status: { ...vmi.status, phase: 'Running', nodeName: node } },
    migrations: [{ ...vmim, spec: { vmiName: 'vm' }, status: { phase: 'Running' } }],
    pods: [
      {
        ...source,
        metadata: ownedBy(vmi.metadata.uid, source),
        spec: { nodeName: node },
        status: { phase: 'Running' },
      },
      { ...target, metadata: { ...target.metadata, labels: { [MIGRATION_UID_LABEL]: vmim.metadata.uid } } },
      ...others,
    ],
  }));

/** Of a source pod: controlled by the VMI, and made by no migration. */
function ownedBy(uid: string, { metadata }: Pod): Pod['metadata'] {
  const ownerReferences = (metadata.ownerReferences ?? []).map((owner) => ({ ...owner, uid, controller: true }));
  return { ...metadata, name: 'source', uid: 'source', labels: {}, ownerReferences };
}

const objects = fc.oneof(anything, migrating);

/** Whatever Kubernetes may say, and whatever may stand on the port. */
export function always(property: (facts: Facts, record: PortRecord | undefined, objects: Objects) => void): void {
  fc.assert(
    fc.property(objects, maybe(record), (seen, record) => property(factsOf(seen), record, seen)),
    // A dual binding comes about once in 1,700 runs.
    { numRuns: 20_000 },
  );
}
