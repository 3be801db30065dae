import type { V1EndpointSlice, V1Service } from '@kubernetes/client-node';
import type { IngressSplit } from './ingress.ts';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/**
 * Where a port of a Service is served now. Asked for at each request, as an ingress asks: a connection to the Service's
 * own address would stay with the activator when Serving has long put the pod in its place.
 */
export function endpointsOf(
  { servicePort }: Pick<IngressSplit, 'servicePort'>,
  service: V1Service | undefined,
  slices: readonly V1EndpointSlice[],
): Endpoint[] {
  const wanted = service?.spec?.ports?.find(({ name, port }) => servicePort === name || servicePort === port);
  if (wanted === undefined) return [];
  return slices.flatMap(({ ports, endpoints }) => {
    const port = ports?.find(({ name }) => (name ?? '') === (wanted.name ?? ''))?.port;
    if (port === undefined) return [];
    // No condition means ready, as the API has it.
    const ready = (endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false);
    return ready.flatMap(({ addresses }) => addresses.map((address) => ({ address, port })));
  });
}
