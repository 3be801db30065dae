import { parseSource, type SourceSpec } from '../../../../lab/knative/source-spec.ts';

export const VMIM = 'VirtualMachineInstanceMigration';

/** An ApiServerSource of migrations and some pods, with parts of its `spec` as the test wants. */
export function source(spec: Record<string, unknown> = {}): SourceSpec {
  return parseSource({
    apiVersion: 'sources.knative.dev/v1',
    kind: 'ApiServerSource',
    metadata: { name: 'migrations', namespace: 'ovn-handover' },
    spec: {
      mode: 'Resource',
      namespaceSelector: {},
      resources: [
        { apiVersion: 'kubevirt.io/v1', kind: VMIM },
        { apiVersion: 'v1', kind: 'Pod', selector: { matchLabels: { wanted: 'yes' } } },
      ],
      sink: { ref: { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'migrations' } },
      ...spec,
    },
  });
}
