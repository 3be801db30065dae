import { isObject } from '../cloud-event.ts';
import { anything, type Check, mapping, required } from './check.ts';
import { apiVersion, kind, kindRule } from './destination.ts';
import { dnsLabel, filledName } from './metadata.ts';

/** The annotation by which a Trigger is ready only when its source is. */
export const DEPENDENCY = 'knative.dev/dependency';

/** A reference to an object of Kubernetes, as JSON in the annotation. */
export interface Dependency {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** That of the Trigger. */
  readonly namespace?: string;
  readonly uid?: unknown;
  readonly resourceVersion?: unknown;
  readonly fieldPath?: unknown;
}

const content: Check<Dependency> = mapping<Dependency>(
  {
    apiVersion: required(apiVersion),
    kind: required(kind),
    name: required(filledName),
    namespace: dnsLabel,
    uid: anything,
    resourceVersion: anything,
    fieldPath: anything,
  },
  kindRule,
);

export const dependency: Check<string> = (value, where) => {
  const parsed = parse(value);
  if (!isObject(parsed)) {
    const example = '{"apiVersion":"sources.knative.dev/v1","kind":"PingSource","name":"hourly"}';
    return [{ where, what: `must be JSON such as ${example}` }];
  }
  return content(parsed, '').map((problem) => ({
    where,
    what: `is JSON whose ${problem.where || 'object'} ${problem.what}`,
  }));
};

/** What the annotation of a sound Trigger names. */
export function dependencyOf(annotation: string): Dependency {
  return parse(annotation) as Dependency;
}

function parse(annotation: unknown): unknown {
  try {
    return JSON.parse(String(annotation));
  } catch {
    return undefined;
  }
}
