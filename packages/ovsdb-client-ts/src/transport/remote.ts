/**
 * One server, as in OVSDB's connection methods (ovsdb(7), "Active Connection Methods").
 *
 * @see [ovsdb(7), "Active Connection Methods"](https://docs.openvswitch.org/en/latest/ref/ovsdb.7/)
 *
 * @example
 * ```ts
 * const one: Endpoint = { kind: 'unix', path: '/run/ovn/ovnnb_db.sock' };
 * const other: Endpoint = { kind: 'tcp', host: '::1', port: 6641 };
 * ```
 */
export type Endpoint =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp' | 'ssl'; readonly host: string; readonly port: number };

const DEFAULT_PORT = 6640;

/**
 * Reads `unix:<file>`, `tcp:<host>[:<port>]` and `ssl:<host>[:<port>]`, one or several with commas between. An IPv6
 * address stands in square brackets. The default port is 6640.
 * @throws TypeError for anything else.
 */
export function parseRemote(remote: string): Endpoint[] {
  return remote.split(',').map((part) => parseEndpoint(part.trim()));
}

export function formatEndpoint(endpoint: Endpoint): string {
  if (endpoint.kind === 'unix') return `unix:${endpoint.path}`;
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host;
  return `${endpoint.kind}:${host}:${endpoint.port}`;
}

function parseEndpoint(text: string): Endpoint {
  const path = /^unix:(.+)$/.exec(text)?.[1];
  if (path !== undefined) return { kind: 'unix', path };
  const [, kind, ipv6, name, digits] = /^(tcp|ssl):(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d+))?$/.exec(text) ?? [];
  const host = ipv6 ?? name;
  const port = digits === undefined ? DEFAULT_PORT : Number(digits);
  if (host === undefined || port < 1 || port > 65535) {
    throw new TypeError(
      `"${text}" is not an OVSDB remote: expected unix:<file>, tcp:<host>[:<port>] or ssl:<host>[:<port>]`,
    );
  }
  return { kind: kind as 'tcp' | 'ssl', host, port };
}
