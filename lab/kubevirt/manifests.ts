import { createHash } from 'node:crypto';
import type { VmDescription } from '../testbed/description.ts';
import {
  ALLOW_BRIDGE_MIGRATION,
  APP,
  CREATED_BY,
  HOSTNAME,
  MIGRATION_FINALIZER,
  MIGRATION_JOB_NAME,
  MIGRATION_JOB_UID,
  OBSERVED_VERSIONS,
  SAME_NODE,
  VMI_FINALIZERS,
  VMI_NAME,
} from './labels.ts';
import type {
  KubernetesObject,
  Manifest,
  OwnerReference,
  Pod,
  VirtualMachine,
  VirtualMachineInstance,
  VirtualMachineInstanceMigration,
} from './objects.ts';

const KUBEVIRT = 'kubevirt.io/v1';
const LAUNCHER_IMAGE = 'quay.io/kubevirt/virt-launcher:v1.9.0';

/**
 * A VM with its interfaces in bridge mode: the first on the pod network, the others where Multus attaches them.
 *
 * @param annotations of the VM's template; KubeVirt copies them to the VMI and its pods.
 * @param node binds the VM to one node for ever, so that it cannot migrate.
 */
export function virtualMachine({
  name,
  namespace,
  interfaces,
  annotations = { [ALLOW_BRIDGE_MIGRATION]: 'true' },
  node,
}: {
  name: string;
  namespace: string;
  interfaces: VmDescription['interfaces'];
  annotations?: Record<string, string>;
  node?: string;
}): Manifest<VirtualMachine> {
  const networks = interfaces.map(({ attachment }) =>
    attachment === undefined ? { name: 'default', pod: {} } : { name: attachment, multus: { networkName: attachment } },
  );
  const devices = interfaces.map(({ mac }, index) => ({ name: networks[index]!.name, bridge: {}, macAddress: mac }));
  return {
    apiVersion: KUBEVIRT,
    kind: 'VirtualMachine',
    metadata: { name, namespace },
    spec: {
      runStrategy: 'Always',
      template: {
        metadata: { labels: { 'kubevirt.io/vm': name }, annotations },
        spec: {
          evictionStrategy: 'LiveMigrate',
          ...(node !== undefined && { nodeSelector: { [HOSTNAME]: node } }),
          domain: {
            cpu: { cores: 1 },
            memory: { guest: '96Mi' },
            devices: { interfaces: devices },
          },
          networks,
        },
      },
    },
  };
}

/**
 * A VMIM as `virtctl migrate` has it made, with what KubeVirt's webhook adds.
 *
 * @param targetNode as `virtctl migrate --addedNodeSelector` names it; any other node than the source's if left out.
 */
export function migration({
  vmiName,
  namespace,
  targetNode,
  annotations = {},
}: {
  vmiName: string;
  namespace: string;
  targetNode?: string;
  annotations?: Record<string, string>;
}): Manifest<VirtualMachineInstanceMigration> {
  return {
    apiVersion: KUBEVIRT,
    kind: 'VirtualMachineInstanceMigration',
    metadata: {
      generateName: 'kubevirt-migrate-vm-',
      namespace,
      labels: { [VMI_NAME]: vmiName },
      ...(Object.keys(annotations).length > 0 && { annotations }),
      finalizers: [MIGRATION_FINALIZER],
    },
    spec: { vmiName, ...(targetNode !== undefined && { addedNodeSelector: { [HOSTNAME]: targetNode } }) },
  };
}

export function virtualMachineInstance(vm: VirtualMachine): Manifest<VirtualMachineInstance> {
  const { metadata, spec } = vm.spec.template;
  return {
    apiVersion: KUBEVIRT,
    kind: 'VirtualMachineInstance',
    metadata: {
      name: vm.metadata.name,
      namespace: vm.metadata.namespace,
      labels: { ...metadata.labels },
      annotations: { ...OBSERVED_VERSIONS, ...metadata.annotations },
      finalizers: [...VMI_FINALIZERS],
      ownerReferences: [controllerReference(vm)],
    },
    spec: structuredClone(spec),
  };
}

/** The virt-launcher pod in which a VMI's guest first runs. */
export function launcherPod(vmi: VirtualMachineInstance): Manifest<Pod> {
  const { name, namespace, uid, labels } = vmi.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `virt-launcher-${name}-`,
      namespace,
      labels: {
        ...labels,
        [APP]: 'virt-launcher',
        [CREATED_BY]: uid,
        'vm.kubevirt.io/name': name,
        'vmi.kubevirt.io/id': name,
      },
      annotations: {
        ...podAnnotations(vmi),
        'kubevirt.io/domain': name,
        'kubevirt.io/migrationTransportUnix': 'true',
        'kubectl.kubernetes.io/default-container': 'compute',
        'descheduler.alpha.kubernetes.io/request-evict-only': '',
        ...multusNetworks(vmi),
      },
      ownerReferences: [controllerReference(vmi)],
    },
    spec: {
      containers: [{ name: 'compute', image: LAUNCHER_IMAGE, command: ['/usr/bin/virt-launcher-monitor'] }],
      hostname: name,
      restartPolicy: 'Never',
      readinessGates: [{ conditionType: 'kubevirt.io/virtual-machine-unpaused' }],
      ...(vmi.spec.nodeSelector !== undefined && { nodeSelector: { ...vmi.spec.nodeSelector } }),
    },
  };
}

/**
 * The pod that a migrating guest moves to: all labels of the VMI are copied, so that `kubevirt.io/nodeName` names the
 * node of the source. No two pods of a VMI may run on one node.
 */
export function targetPod(vmi: VirtualMachineInstance, vmim: VirtualMachineInstanceMigration): Manifest<Pod> {
  const pod = launcherPod(vmi);
  // The VM's own selector wins: an added one can only narrow the choice.
  const nodeSelector = { ...vmim.spec.addedNodeSelector, ...pod.spec.nodeSelector };
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: { ...pod.metadata.labels, [MIGRATION_JOB_UID]: vmim.metadata.uid },
      annotations: { ...pod.metadata.annotations, [MIGRATION_JOB_NAME]: vmim.metadata.name },
    },
    spec: {
      ...pod.spec,
      ...(Object.keys(nodeSelector).length > 0 && { nodeSelector }),
      ...(!(SAME_NODE in (vmim.metadata.annotations ?? {})) && { affinity: apartFrom(vmi) }),
    },
  };
}

function apartFrom(vmi: VirtualMachineInstance): NonNullable<Pod['spec']['affinity']> {
  const labelSelector = { matchLabels: { [CREATED_BY]: vmi.metadata.uid } };
  return {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector, topologyKey: HOSTNAME }],
    },
  };
}

/** The pod that brings hotplug volumes to the target's node. It carries the migration's labels but is no launcher. */
export function attachmentPod(target: Pod, vmim: VirtualMachineInstanceMigration): Manifest<Pod> {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: 'hp-volume-',
      namespace: target.metadata.namespace,
      labels: { [APP]: 'hotplug-disk', [MIGRATION_JOB_UID]: vmim.metadata.uid },
      annotations: { [MIGRATION_JOB_NAME]: vmim.metadata.name },
      ownerReferences: [controllerReference(target)],
    },
    spec: {
      containers: [{ name: 'hotplug-disk', image: LAUNCHER_IMAGE }],
      terminationGracePeriodSeconds: 0,
      nodeSelector: { [HOSTNAME]: target.spec.nodeName ?? '' },
    },
  };
}

function controllerReference({ apiVersion, kind, metadata: { name, uid } }: KubernetesObject): OwnerReference {
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

function podAnnotations(vmi: VirtualMachineInstance): Record<string, string> {
  const entries = Object.entries(vmi.metadata.annotations ?? {});
  return Object.fromEntries(entries.filter(([key]) => !(key in OBSERVED_VERSIONS)));
}

/** What Multus is asked to plug, with the interface names that KubeVirt derives from the networks' names. */
function multusNetworks({ spec, metadata: { namespace } }: VirtualMachineInstance): Record<string, string> {
  const attachments = spec.networks.flatMap(({ name, multus }) => {
    if (multus === undefined) return [];
    const mac = spec.domain.devices.interfaces.find((candidate) => candidate.name === name)?.macAddress;
    return [{ name: multus.networkName, namespace, ...(mac !== undefined && { mac }), interface: podInterface(name) }];
  });
  return attachments.length === 0 ? {} : { 'k8s.v1.cni.cncf.io/networks': JSON.stringify(attachments) };
}

/** The name in the pod of the interface on a network that Multus attaches. */
export function podInterface(network: string): string {
  return `pod${createHash('sha256').update(network).digest('hex').slice(0, 11)}`;
}
