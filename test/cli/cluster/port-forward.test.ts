import { once } from 'node:events';
import { createServer as createTlsServer, type Server } from 'node:https';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';
import {
  type Pod,
  PortForwards,
  type Service,
  serviceOf,
  targetAt,
  targetBehind,
} from '../../../cli/cluster/port-forward.ts';
import { selfSignedCertificate } from '../../../lab/kubernetes-api/certificate.ts';
import { kubeconfigYaml } from '../../../lab/kubernetes-api/kubeconfig.ts';

interface Sockets {
  on(event: 'connection', listener: (socket: Channels, request: { readonly url?: string }) => void): void;
}
interface Channels {
  send(data: Buffer): void;
  close(): void;
  on(event: 'message', listener: (data: Buffer) => void): void;
}
/** client-node's own; it brings no types. */
const { WebSocketServer } = createRequire(import.meta.url)('ws') as {
  readonly WebSocketServer: new (options: object) => Sockets;
};

function pod(
  name: string,
  { ready = 'True', ip = '10.16.0.2', hostIP = '192.0.2.1', hostNetwork = false, ports = [6641] } = {},
): Pod {
  return {
    metadata: { name, namespace: 'kube-system' },
    spec: {
      hostNetwork,
      containers: [
        { name: 'ovn', ports: ports.map((containerPort) => ({ name: `p${containerPort}`, containerPort })) },
      ],
    },
    status: { podIP: ip, hostIP, conditions: [{ type: 'Ready', status: ready }] },
  };
}

const service = (targetPort?: number | string): Service => ({
  metadata: { name: 'ovn-nb', namespace: 'kube-system' },
  spec: { selector: { app: 'ovn' }, ports: [{ port: 6641, ...(targetPort !== undefined && { targetPort }) }] },
});

test.each([
  ['ovn-nb.kube-system.svc', { name: 'ovn-nb', namespace: 'kube-system' }],
  ['ovn-nb.kube-system.svc.cluster.local', { name: 'ovn-nb', namespace: 'kube-system' }],
  ['192.0.2.11', undefined],
  ['ovn.example.com', undefined],
])('%s names the Service %j', (host, expected) => {
  expect(serviceOf(host)).toEqual(expected);
});

describe('behind a Service', () => {
  test.each([
    [undefined, 6641],
    [16641, 16641],
    ['p6641', 6641],
  ])('with the target port %j a ready pod answers at %i', (targetPort, port) => {
    const pods = [pod('old', { ready: 'False' }), pod('leader')];
    expect(targetBehind(service(targetPort), 6641, pods)).toEqual({ namespace: 'kube-system', pod: 'leader', port });
  });

  test('nobody answers where no pod is ready, or the Service has no such port', () => {
    expect(targetBehind(service(), 6641, [pod('old', { ready: 'False' })])).toBeUndefined();
    expect(targetBehind(service(), 6642, [pod('leader')])).toBeUndefined();
  });
});

test('an address is a pod’s own, or its node’s where it says that it listens there', () => {
  const host = pod('ovn-central', { hostNetwork: true, ip: '192.0.2.1' });
  const neighbour = pod('kube-proxy', { hostNetwork: true, ip: '192.0.2.1', ports: [10249] });
  expect(targetAt('192.0.2.1', 6641, [neighbour, host])).toMatchObject({ pod: 'ovn-central', port: 6641 });
  expect(targetAt('10.16.0.2', 6641, [pod('plain')])).toMatchObject({ pod: 'plain' });
  expect(targetAt('192.0.2.9', 6641, [host, pod('plain')])).toBeUndefined();
});

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

test('what is sent to the port of this machine comes to the pod through the API server, and back', async () => {
  const { cert, key } = await selfSignedCertificate();
  const asked: string[] = [];
  server = createTlsServer({ cert, key });
  // As kubelet answers, `v4.channel.k8s.io`: a byte for the channel, and first of all the port of each.
  new WebSocketServer({ server, handleProtocols: () => 'v4.channel.k8s.io' }).on('connection', (socket, request) => {
    asked.push(request.url ?? '');
    for (const channel of [0, 1]) socket.send(Buffer.from([channel, 0xf1, 0x19]));
    socket.on('message', (data: Buffer) => {
      socket.send(Buffer.concat([Buffer.from([0]), Buffer.from(`heard ${data.subarray(1)}`)]));
      setTimeout(() => socket.close(), 50);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const config = new KubeConfig();
  const { port } = server.address() as { port: number };
  config.loadFromString(kubeconfigYaml(`https://127.0.0.1:${port}`, cert, 'token'));

  await using forwards = new PortForwards(config);
  const local = await forwards.open({ namespace: 'kube-system', pod: 'ovn-central', port: 6641 });
  const client = connect({ host: '127.0.0.1', port: local });
  client.write('echo');
  expect(await text(client)).toBe('heard echo');
  expect(asked).toEqual(['/api/v1/namespaces/kube-system/pods/ovn-central/portforward?ports=6641']);
});
