import { readFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { DNS_ADDRESS } from '../addresses.ts';
import type { ClusterDescription, ClusterNode } from '../description.ts';
import { PAUSE_IMAGE } from '../images/small.ts';

const MIB = 1024 ** 2;

/** The files that a node starts with, by their places. */
export async function nodeFiles(
  node: ClusterNode,
  { directory, nodes }: ClusterDescription,
): Promise<Record<string, string>> {
  const pki = (name: string) => readFile(join(directory, 'pki', name), 'utf8');
  const containerd = await readFile(new URL('containerd.toml', import.meta.url), 'utf8');
  const hosts = ['127.0.0.1 localhost', ...nodes.map(({ address, name }) => `${address} ${name}`)];
  return {
    '/etc/kubernetes/ca.crt': await pki('ca.crt'),
    '/etc/kubernetes/node.crt': await pki(`${node.name}.crt`),
    '/etc/kubernetes/node.key': await pki(`${node.name}.key`),
    '/etc/kubernetes/kubelet.kubeconfig': await pki(`${node.name}.kubeconfig`),
    '/etc/kubernetes/kube-proxy.kubeconfig': await pki('kube-proxy.kubeconfig'),
    '/etc/kubernetes/kubelet.yaml': stringify(kubeletConfiguration(nodes.length)),
    '/etc/containerd.toml': containerd.replace('@PAUSE@', PAUSE_IMAGE),
    '/etc/cni/net.d/10-lab.conflist': JSON.stringify(networkOf(node)),
    '/etc/hostname': `${node.name}\n`,
    '/etc/hosts': `${hosts.join('\n')}\n`,
    '/etc/machine-id': `${crypto.randomUUID().replaceAll('-', '')}\n`,
    '/etc/resolv.conf': '',
  };
}

/** KubeletConfiguration v1beta1. */
function kubeletConfiguration(nodes: number): object {
  // Each kubelet sees all of the machine's memory.
  const others = totalmem() - totalmem() / nodes;
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: '/etc/kubernetes/ca.crt' },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: '/etc/kubernetes/node.crt',
    tlsPrivateKeyFile: '/etc/kubernetes/node.key',
    containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
    cgroupDriver: 'cgroupfs',
    // A kubelet starts on cgroups of version 1 only when told to.
    failCgroupV1: false,
    failSwapOn: false,
    clusterDNS: [DNS_ADDRESS],
    clusterDomain: 'cluster.local',
    resolvConf: '/etc/resolv.conf',
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    // An image that it removed could not be pulled again.
    imageGCHighThresholdPercent: 100,
    maxPods: 110,
    systemReserved: { memory: `${Math.ceil(others / MIB)}Mi` },
  };
}

/**
 * A CNI network configuration list. With a bridge for all pods instead, a Service's answer from a pod of the same node would go past
 * the translation of its address.
 */
function networkOf({ podSubnet }: ClusterNode): object {
  const ipam = { type: 'host-local', subnet: podSubnet, routes: [{ dst: '0.0.0.0/0' }] };
  return { cniVersion: '1.0.0', name: 'lab', plugins: [{ type: 'lab-ovn', ipMasq: false, ipam }] };
}
