import type { IncomingHttpHeaders } from 'node:http';
import type { Ingress, IngressPath, IngressSplit } from './ingress.ts';

/** What of a request decides where it goes. */
export interface Asked {
  /** As the client named it, with a port or without. */
  readonly host: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

export interface Destination {
  readonly split: IngressSplit;
  /** To be set on the way. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Where requests go by the Ingresses that there are. */
export class Routes {
  readonly #paths = new Map<string, readonly IngressPath[]>();

  constructor(ingresses: Iterable<Ingress>) {
    for (const rule of [...ingresses].flatMap(({ spec }) => spec.rules ?? [])) {
      // The longer the prefix and the more the headers, the closer the match; the first of equals, as Knative asks for.
      const paths = rule.http.paths.toSorted((a, b) => prefix(b) - prefix(a) || headerCount(b) - headerCount(a));
      for (const host of rule.hosts ?? []) if (!this.#paths.has(host)) this.#paths.set(host, paths);
    }
  }

  /** @param chance from 0 up to but without 1: decides among the splits */
  find({ host, url, headers }: Asked, chance: number): Destination | undefined {
    const paths = this.#paths.get(host.replace(/:\d+$/, '').toLowerCase());
    const path = paths?.find((path) => url.startsWith(path.path ?? '') && hasAll(headers, path));
    const split = path && splitAt(path.splits, chance * 100);
    if (path === undefined || split === undefined) return undefined;
    const host_ = path.rewriteHost === undefined ? {} : { host: path.rewriteHost };
    return { split, headers: { ...path.appendHeaders, ...split.appendHeaders, ...host_ } };
  }
}

function prefix({ path }: IngressPath): number {
  return path?.length ?? 0;
}

function headerCount({ headers = {} }: IngressPath): number {
  return Object.keys(headers).length;
}

function hasAll(headers: IncomingHttpHeaders, { headers: wanted = {} }: IngressPath): boolean {
  return Object.entries(wanted).every(([name, { exact }]) => headers[name.toLowerCase()] === exact);
}

function splitAt(splits: readonly IngressSplit[], percent: number): IngressSplit | undefined {
  let upTo = 0;
  return splits.find(({ percent: share = 100 }) => {
    upTo += share;
    return percent < upTo;
  });
}
