import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Exchange } from '../../handover/kubernetes/http.ts';
import { type ClusterApi, type KubernetesObject, messageIn, pathOf } from '../cluster/api.ts';
import type { Conditioned } from '../cluster/conditions.ts';
import { NAMESPACE } from '../cluster/installation.ts';
import { KINDS } from '../cluster/kinds.ts';
import { serviceOf } from '../cluster/port-forward.ts';
import type { Probe } from './seen.ts';

/** Longer than a cold start on a busy node, or one into a pod that ends. */
const ANSWERED_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 500;
/** In the line of a sweep that was made; one that failed says otherwise, and comes again. */
const SWEPT = '"result":"swept"';

/**
 * Sends the broker an event as the PingSource does, through the API server, and waits until `reconcile` has answered it. A
 * sweep more harms nobody: it comes every two minutes anyway.
 */
export async function probeTheWay(
  api: ClusterApi,
  exchange: Exchange,
  broker: Conditioned | undefined,
  withinMs = ANSWERED_WITHIN_MS,
): Promise<Probe> {
  const url = broker?.status?.address?.url;
  if (url === undefined) return { is: 'left out', why: 'the Broker has no address' };
  const id = randomUUID();
  const sentAt = Date.now();
  const problem = await send(exchange, new URL(url), id).catch((error: Error) => error.message);
  if (problem !== undefined) return { is: 'not taken', why: problem };
  let lastLine: string | undefined;
  while (Date.now() - sentAt < withinMs) {
    const lines = await logLines(api, Math.ceil((Date.now() - sentAt) / 1_000) + 1);
    const own = lines.filter((line) => line.includes(id));
    const answer = own.find((line) => line.includes(SWEPT));
    if (answer !== undefined) return { is: 'answered', ms: Date.now() - sentAt, line: answer };
    lastLine = own.at(-1) ?? lines.at(-1) ?? lastLine;
    await sleep(LOOK_EVERY_MS);
  }
  return { is: 'unanswered', seconds: withinMs / 1_000, lastLine };
}

/** @returns why the broker did not take it */
async function send(exchange: Exchange, url: URL, id: string): Promise<string | undefined> {
  const service = serviceOf(url.hostname);
  if (service === undefined) return `its address ${url} is no Service of this cluster`;
  const scheme = url.protocol.replace(':', '');
  const port = url.port || (scheme === 'https' ? '443' : '80');
  const through = `${scheme}:${service.name}:${port}`;
  const { status, content } = await exchange({
    method: 'POST',
    path: [...pathOf(KINDS.services, service.namespace, through), 'proxy', ...url.pathname.split('/').filter(Boolean)],
    headers: {
      'ce-specversion': '1.0',
      'ce-id': id,
      'ce-type': 'dev.knative.sources.ping',
      'ce-source': '/ovn-handover/doctor',
    },
    body: {},
  });
  return status >= 200 && status <= 299 ? undefined : `HTTP ${status} ${messageIn(content) ?? ''}`.trim();
}

async function logLines(api: ClusterApi, sinceSeconds: number): Promise<readonly string[]> {
  const labels = 'serving.knative.dev/service=reconcile';
  const pods = await api.list<KubernetesObject>(KINDS.pods, { namespace: NAMESPACE, labels });
  const logs = await Promise.all(
    pods.map(({ metadata: { name } }) =>
      // A pod that starts, or has just gone, has no log yet or any more.
      api
        .text([...pathOf(KINDS.pods, NAMESPACE, name), 'log'], {
          container: 'user-container',
          sinceSeconds: `${sinceSeconds}`,
        })
        .catch(() => ''),
    ),
  );
  return logs.flatMap((log) => log.split('\n')).filter((line) => line !== '');
}
