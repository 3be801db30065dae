import { toWireMap, type WireCondition } from 'ovsdb-client-ts';
import type { Pod, VmiReference } from './kubevirt.ts';
import type { Port } from './port.ts';

/** Whose ports they are: how a VM's ports are found, and how a pod learns the network identity it is to take over. */
export interface Profile {
  /** Matches all of the VM's rows in Logical_Switch_Port and no other. */
  condition(vmi: VmiReference): WireCondition;
  /** The same, for a row that was found another way. */
  owns(port: Port, vmi: VmiReference): boolean;
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
  condition: (vmi) => ['external_ids', 'includes', toWireMap({ pod: podKey(vmi) })],
  owns: (port, vmi) => port.externalIds.pod === podKey(vmi),
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

function podKey({ namespace, name }: VmiReference): string {
  return `${namespace}/${name}`;
}

export const PORT_ANNOTATION = 'ovn-handover.dev/port';

/**
 * Plain OVN: one port per VM, found by its name; the identity is one annotation of ours, as JSON.
 * @param nameTemplate with `{vmi}` and `{namespace}`, between them a character that no namespace has, so that a name
 * tells whose it is
 */
function generic(nameTemplate: string): Profile {
  const pattern = new RegExp(
    `^${RegExp.escape(nameTemplate)
      .replace(RegExp.escape('{vmi}'), '(?<vmi>.+)')
      .replace(RegExp.escape('{namespace}'), '(?<namespace>[a-z0-9-]+)')}$`,
  );
  const portName = ({ namespace, name }: VmiReference) =>
    nameTemplate.replaceAll('{vmi}', name).replaceAll('{namespace}', namespace);
  return {
    condition: (vmi) => ['name', '==', portName(vmi)],
    owns: (port, vmi) => port.name === portName(vmi),
    ownerOf: ({ name }) => referenceIn(pattern.exec(name)),
    identity(target, _source, ports) {
      const [port] = ports;
      const [mac, ...ips] = port?.addresses[0]?.split(' ') ?? [];
      if (port === undefined || mac === undefined || !mac.includes(':')) return { missing: {}, differing: [] };
      const identity = JSON.stringify({ ifaceId: port.name, mac, ips });
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
