/** A program of a pinned Go module that runs in a container of its own. */
export interface Program {
  /** Name of the folder in `go/`. */
  readonly pins: string;
  /** Its Go package. */
  readonly name: string;
}

const of = (pins: string, names: readonly string[]): Program[] => names.map((name) => ({ pins, name }));

/** All that Knative needs to run functions and to bring them events, and the cluster's DNS, which it cannot do without. */
export const PROGRAMS: readonly Program[] = [
  ...of('knative-serving', [
    'knative.dev/serving/cmd/activator',
    'knative.dev/serving/cmd/autoscaler',
    'knative.dev/serving/cmd/controller',
    'knative.dev/serving/cmd/queue',
    'knative.dev/serving/cmd/webhook',
  ]),
  ...of('knative-eventing', [
    'knative.dev/eventing/cmd/apiserver_receive_adapter',
    'knative.dev/eventing/cmd/broker/filter',
    'knative.dev/eventing/cmd/broker/ingress',
    'knative.dev/eventing/cmd/controller',
    'knative.dev/eventing/cmd/in_memory/channel_controller',
    'knative.dev/eventing/cmd/in_memory/channel_dispatcher',
    'knative.dev/eventing/cmd/mtchannel_broker',
    'knative.dev/eventing/cmd/mtping',
    'knative.dev/eventing/cmd/webhook',
  ]),
  ...of('coredns', ['ovn-handover.dev/lab/coredns']),
];

/**
 * The image of a Go package. Serving looks for no digest of an image of `dev.local`, and a tag that is not `latest` is not
 * pulled where it is there already.
 */
export function imageOf(program: string): string {
  return `dev.local/${program}:pinned`;
}
