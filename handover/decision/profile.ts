import type { Condition } from 'ovsdb-client-ts';
import type { LogicalSwitchPort } from 'ovsdb-client-ts/ovn-nb';
import type { Pod, VmiReference } from './kubevirt.ts';
import type { Port } from './port.ts';

/** What rows of Logical_Switch_Port are selected by. */
export type PortCondition = Condition<LogicalSwitchPort>;

/** Whose ports they are: how a VM's ports are found, and how a pod learns the network identity it is to take over. */
export interface Profile {
  /** Whether a VM's ports can be found only with the names of its networks (`spec.networks` of the VMI). */
  readonly needsNetworks: boolean;
  /** Each matches rows of the VM in Logical_Switch_Port and no other; together they match all. */
  conditions(vmi: VmiReference, networks: readonly string[]): readonly PortCondition[];
  /** What is true of a row as long as it is this VM's port. */
  ownership(port: Port): PortCondition;
  /** Whose a port is; `undefined` where it is no VM's. */
  ownerOf(port: Port): VmiReference | undefined;
  identity(target: Pod, source: Pod | undefined, ports: readonly Port[]): Identity;
}

/** Annotations for the target pod, and those of its own that contradict the source's. */
export interface Identity {
  readonly missing: Readonly<Record<string, string>>;
  readonly differing: readonly string[];
}

/**
 * Kube-OVN names the VM in `external_ids:pod` and tells a pod its identity in annotations per network provider
 * (`ovn.kubernetes.io/…`, `<nad>.<namespace>.ovn.kubernetes.io/…`, or `<nad>.<namespace>.ovn.<interface>.kubernetes.io/…`
 * where a network is attached twice). Its controller still allocates; what it left out is filled in from the source pod.
 */
const kubeOvn: Profile = {
  needsNetworks: false,
  conditions: ({ namespace, name }) => [podIs(`${namespace}/${name}`)],
  ownership: ({ externalIds }) => podIs(externalIds.pod!),
  ownerOf: ({ externalIds }) => referenceIn(/^(?<namespace>[^/]+)\/(?<vmi>[^/]+)$/.exec(externalIds.pod ?? '')),
  identity(target, source) {
    const has = target.metadata.annotations ?? {};
    const missing: Record<string, string> = {};
    const differing: string[] = [];
    for (const [key, value] of Object.entries(source?.metadata.annotations ?? {})) {
      if (!IDENTITY_ANNOTATION.test(key)) continue;
      if (has[key] === undefined) missing[key] = value;
      else if (has[key] !== value) differing.push(`${key}: ${has[key]}, the source has ${value}`);
    }
    return { missing, differing };
  },
};

const IDENTITY_ANNOTATION =
  /^([a-z0-9.-]+\.)?ovn(\.[a-z0-9-]+)?\.kubernetes\.io\/(ip_address|mac_address|cidr|gateway|logical_switch|logical_router|vlan_id|provider_network|pod_nic_type|allocated|virtualmachine)$/;

function podIs(pod: string): PortCondition {
  return ['external_ids', 'includes', { pod }];
}

const PORT_ANNOTATION = 'ovn-handover.dev/port';

/**
 * Plain OVN: ports are found by their names; the identity is one annotation of ours, as JSON. Without `{network}` in the
 * template a VM has one port, and its identity is `{ifaceId, mac, ips}`; with it, it has one for each of its networks,
 * and the annotation holds such an object for each, by the network's name.
 * @param nameTemplate with `{vmi}`, `{namespace}` and perhaps `{network}`, each once, and between them one of `. _ / :`, so
 * that a name tells whose it is
 */
function generic(nameTemplate: string): Profile {
  const pattern = new RegExp(
    `^${RegExp.escape(nameTemplate)
      .replace(RegExp.escape('{vmi}'), '(?<vmi>[a-z0-9.-]+)')
      .replace(RegExp.escape('{namespace}'), '(?<namespace>[a-z0-9-]+)')
      // What KubeVirt takes for the name of an interface, which is its network's.
      .replace(RegExp.escape('{network}'), '(?<network>[A-Za-z0-9_-]+)')}$`,
  );
  const needsNetworks = nameTemplate.includes('{network}');
  const portName = ({ namespace, name }: VmiReference, network: string) =>
    nameTemplate.replace('{vmi}', name).replace('{namespace}', namespace).replace('{network}', network);

  return {
    needsNetworks,
    conditions: (vmi, networks) =>
      (needsNetworks ? networks : ['']).map((network) => ['name', '==', portName(vmi, network)]),
    ownership: ({ name }) => ['name', '==', name],
    ownerOf: ({ name }) => referenceIn(pattern.exec(name)),
    identity(target, _source, ports) {
      const identities = ports.flatMap((port) => {
        const [mac, ...ips] = port.addresses[0]?.split(' ') ?? [];
        return mac?.includes(':') ? [[pattern.exec(port.name)?.groups?.network, { ifaceId: port.name, mac, ips }]] : [];
      });
      if (identities.length === 0) return { missing: {}, differing: [] };
      const identity = JSON.stringify(needsNetworks ? Object.fromEntries(identities) : identities[0]![1]);
      const present = target.metadata.annotations?.[PORT_ANNOTATION];
      if (present === undefined) return { missing: { [PORT_ANNOTATION]: identity }, differing: [] };
      return {
        missing: {},
        differing: present === identity ? [] : [`${PORT_ANNOTATION}: ${present}, the port has ${identity}`],
      };
    },
  };
}

function referenceIn(match: RegExpExecArray | null): VmiReference | undefined {
  if (match === null) return undefined;
  const { namespace, vmi } = match.groups as { readonly namespace: string; readonly vmi: string };
  return { namespace, name: vmi };
}

export function profileOf(name: 'kube-ovn' | 'generic', portName: string): Profile {
  return name === 'kube-ovn' ? kubeOvn : generic(portName);
}
