import { isDeepStrictEqual } from 'node:util';
import { conflict, type FieldError, forbidden, invalidValue, required } from './errors.ts';
import { isRecord, type KubernetesObject, timestamp } from './object.ts';

/** The parts of a Pod that the API server itself looks at. */
export interface Pod extends KubernetesObject {
  spec: {
    nodeName?: string;
    schedulingGates?: { name: string }[];
    containers?: { name: string; image?: string }[];
    initContainers?: { name: string; image?: string }[];
    terminationGracePeriodSeconds?: number;
    tolerations?: unknown[];
    [field: string]: unknown;
  };
  status?: { phase?: string; conditions?: Condition[]; [field: string]: unknown };
}

interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
  lastProbeTime?: string | null;
}

const pods = { group: '', plural: 'pods' };

/** Defaults that the API server fills in when it decodes a pod. */
export function defaultPod(object: KubernetesObject): Pod {
  const spec = isRecord(object.spec) ? object.spec : {};
  return {
    ...object,
    spec: {
      restartPolicy: 'Always',
      dnsPolicy: 'ClusterFirst',
      schedulerName: 'default-scheduler',
      terminationGracePeriodSeconds: 30,
      securityContext: {},
      ...spec,
    },
  };
}

/** A pod starts Pending whatever its author wrote into status; one with gates says so in its conditions. */
export function initialPodStatus(pod: Pod): NonNullable<Pod['status']> {
  const gated: Condition = {
    type: 'PodScheduled',
    status: 'False',
    lastProbeTime: null,
    lastTransitionTime: timestamp(),
    reason: 'SchedulingGated',
    message: 'Scheduling is blocked due to non-empty scheduling gates',
  };
  return { phase: 'Pending', ...(gates(pod).length > 0 && { conditions: [gated] }) };
}

export function validatePod(pod: Pod): FieldError[] {
  const errors: FieldError[] = [];
  if (!pod.spec.containers?.length) errors.push(required('spec.containers', ''));
  const names = gates(pod);
  for (const [index, name] of names.entries()) {
    const field = `spec.schedulingGates[${index}]`;
    if (!qualifiedName.test(name))
      errors.push(invalidValue(field, name, 'name part must consist of alphanumeric characters'));
    if (names.indexOf(name) < index) {
      errors.push({ reason: 'FieldValueDuplicate', field, message: `Duplicate value: ${JSON.stringify(name)}` });
    }
  }
  if (pod.spec.nodeName && names.length > 0) {
    errors.push(forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'));
  }
  return errors;
}

const qualifiedName = /^([a-z0-9.-]+\/)?[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/;

/** A pod's spec is immutable but for a few fields; gates may only be taken off. */
export function validatePodUpdate(next: Pod, current: Pod): FieldError[] {
  const errors: FieldError[] = [];
  const before = gates(current);
  for (const [index, name] of gates(next).entries()) {
    if (!before.includes(name)) {
      errors.push(
        forbidden(
          `spec.schedulingGates[${index}].name`,
          `only deletion is allowed, but found new scheduling gate '${name}'`,
        ),
      );
    }
  }
  if (!isDeepStrictEqual(fixedSpec(next), fixedSpec(current))) {
    errors.push(
      forbidden(
        'spec',
        'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,' +
          '`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),' +
          '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
      ),
    );
  }
  return errors;
}

/** What has to stay; gated pods may also be given a narrower nodeSelector. */
function fixedSpec({ spec }: Pod): unknown {
  const { schedulingGates: _gates, activeDeadlineSeconds: _deadline, tolerations: _tolerations, ...rest } = spec;
  const { containers, initContainers, ...others } = rest;
  const withoutImage = (list: Pod['spec']['containers']) => list?.map(({ image: _image, ...container }) => container);
  return { ...others, containers: withoutImage(containers), initContainers: withoutImage(initContainers) };
}

/**
 * Assigns the pod to a node, as the scheduler does with POST pods/NAME/binding.
 * @throws ApiError 409 when it is gated, already assigned, or being deleted.
 */
export function bindPod(pod: Pod, node: string, annotations: Record<string, string> = {}): Pod {
  const name = pod.metadata.name!;
  const denied = (why: string) => conflict({ ...pods, plural: 'pods/binding' }, name, why);
  if (pod.metadata.deletionTimestamp) throw denied(`pod ${name} is being deleted, cannot be assigned to a host`);
  if (pod.spec.nodeName) throw denied(`pod ${name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`);
  if (gates(pod).length > 0) throw denied(`pod ${name} has non-empty .spec.schedulingGates`);
  const scheduled: Condition = {
    type: 'PodScheduled',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: timestamp(),
  };
  const others = pod.status?.conditions?.filter(({ type }) => type !== 'PodScheduled') ?? [];
  return {
    ...pod,
    metadata: { ...pod.metadata, annotations: { ...pod.metadata.annotations, ...annotations } },
    spec: { ...pod.spec, nodeName: node },
    status: { ...pod.status, conditions: [...others, scheduled] },
  };
}

/**
 * Seconds that the kubelet has to end the pod before it is removed; 0 removes it at once.
 * Nothing runs of a pod without node, or of one that is Succeeded or Failed.
 */
export function podGracePeriod(pod: Pod, requested: number | undefined): number {
  const phase = pod.status?.phase;
  if (!pod.spec.nodeName || phase === 'Succeeded' || phase === 'Failed') return 0;
  const period = requested ?? pod.spec.terminationGracePeriodSeconds ?? 0;
  return period < 0 ? 1 : period;
}

const gates = (pod: Pod): string[] => pod.spec.schedulingGates?.map(({ name }) => name) ?? [];
