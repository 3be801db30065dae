import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterDescription } from '../../lab/cluster/description.ts';
import { imageOf } from '../../lab/cluster/knative/programs.ts';
import { kubectlIn } from '../../lab/cluster/kubectl.ts';
import { NAMESPACE, OURS } from './stock-manifests.ts';

const NAME = 'bench-sink';
const CORE = { apiVersion: 'v1' };
const PORT = 8080;
/** Writes a line for each event that it is sent: its type and kind. */
const PROGRAM = `
require('node:http').createServer((request, response) => {
  console.log(request.headers['ce-type'] + ' ' + (request.headers['ce-kind'] ?? ''));
  request.resume().on('end', () => response.writeHead(204).end());
}).listen(${PORT});`;

/** Is sent all that comes into the broker, whoever else hears of it. */
export class EventSink implements AsyncDisposable {
  readonly #cluster: ClusterDescription;

  static async start(cluster: ClusterDescription): Promise<EventSink> {
    const file = join(cluster.directory, 'sink.json');
    await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests() }));
    await kubectlIn(cluster, 'apply', '-f', file);
    const ready = ['wait', `pod/${NAME}`, `trigger/${NAME}`, '--for=condition=Ready', '--timeout=29s'];
    await kubectlIn(cluster, '-n', NAMESPACE, ...ready);
    return new EventSink(cluster);
  }

  private constructor(cluster: ClusterDescription) {
    this.#cluster = cluster;
  }

  /** Type and kind of each event that came. */
  async events(): Promise<string[]> {
    const lines = await kubectlIn(this.#cluster, '-n', NAMESPACE, 'logs', NAME);
    return lines === '' ? [] : lines.split('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const kinds = 'triggers.eventing.knative.dev,services,pods';
    await kubectlIn(this.#cluster, '-n', NAMESPACE, 'delete', kinds, '-l', OURS, '--wait=false');
  }
}

function manifests(): object[] {
  const labels = { [OURS]: 'sink' };
  const metadata = { name: NAME, namespace: NAMESPACE, labels };
  const command = ['/workspace/node_modules/.bin/node', '-e', PROGRAM];
  const image = imageOf('ovn-handover.dev/lab/network-layer');
  const ref = { ...CORE, kind: 'Service', name: NAME, namespace: NAMESPACE };
  return [
    {
      ...CORE,
      kind: 'Pod',
      metadata,
      spec: {
        containers: [{ name: 'sink', image, command, readinessProbe: { tcpSocket: { port: PORT }, periodSeconds: 1 } }],
        terminationGracePeriodSeconds: 0,
      },
    },
    { ...CORE, kind: 'Service', metadata, spec: { selector: labels, ports: [{ port: 80, targetPort: PORT }] } },
    {
      apiVersion: 'eventing.knative.dev/v1',
      kind: 'Trigger',
      metadata,
      spec: { broker: 'migrations', subscriber: { ref } },
    },
  ];
}
