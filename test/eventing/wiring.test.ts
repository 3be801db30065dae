import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { checkManifests } from 'knative-eventing-ts-sdk';
import { replyOf } from '../../handover/reply.ts';
import type { Attributes } from '../../lab/knative/filters.ts';
import { readFunctions } from '../../lab/knative/func-yaml.ts';
import { type Manifest, ofKind, readKustomization } from '../../lab/knative/manifests.ts';
import { parsePingSource } from '../../lab/knative/ping-source.ts';
import { parseSource, type SourceSpec } from '../../lab/knative/source-spec.ts';
import { parseTrigger, type Trigger } from '../../lab/knative/trigger.ts';
import { factsAt, pod, VMI } from '../../testkit/moments.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const LAUNCHER_PODS = { pods: 'all' };

let manifests: Manifest[];
let triggers: Trigger[];
let sources: SourceSpec[];

beforeAll(async () => {
  manifests = await readKustomization(`${PROJECT}/eventing/overlays/kube-ovn`);
  triggers = ofKind(manifests, 'eventing.knative.dev/v1', 'Trigger').map(parseTrigger);
  sources = ofKind(manifests, 'sources.knative.dev/v1', 'ApiServerSource').map(parseSource);
});

function subscribersOf(attributes: Attributes): string[] {
  return triggers.filter(({ wants }) => wants(attributes)).map(({ subscriber }) => subscriber.name);
}

describe('the sources and the triggers', () => {
  it('mean what they say, by the checks of the SDK', () => {
    expect(checkManifests(manifests)).toEqual([]);
  });

  it('watch migrations, VMIs and target pods of all namespaces, and all launcher pods under a mark of their own', () => {
    const watched = sources.map(({ resources, extensions }) => [
      resources.map(({ path, selector }) => [path, selector]),
      extensions,
    ]);
    expect(watched).toEqual([
      [
        [
          ['/apis/kubevirt.io/v1/virtualmachineinstancemigrations', ''],
          ['/apis/kubevirt.io/v1/virtualmachineinstances', ''],
          ['/api/v1/pods', 'kubevirt.io=virt-launcher,kubevirt.io/migrationJobUID'],
        ],
        {},
      ],
      [[['/api/v1/pods', 'kubevirt.io=virt-launcher']], LAUNCHER_PODS],
    ]);
  });

  it.each([
    ['VirtualMachineInstanceMigration', 'add', ['reuse-port', 'enable-dual-chassis']],
    ['VirtualMachineInstanceMigration', 'update', ['reuse-port', 'enable-dual-chassis', 'disable-dual-chassis']],
    ['VirtualMachineInstanceMigration', 'delete', ['disable-dual-chassis']],
    ['Pod', 'add', ['reuse-port', 'enable-dual-chassis']],
    ['Pod', 'update', ['reuse-port', 'enable-dual-chassis', 'disable-dual-chassis']],
    ['Pod', 'delete', []],
    ['VirtualMachineInstance', 'add', ['release-port']],
    ['VirtualMachineInstance', 'update', []],
    ['VirtualMachineInstance', 'delete', ['release-port']],
  ])('bring %s %s to %j', (kind, action, functions) => {
    expect(subscribersOf({ type: `dev.knative.apiserver.resource.${action}`, kind })).toEqual(functions);
  });

  it.each([
    ['add', []],
    ['update', []],
    ['delete', ['reconcile']],
  ])('bring the %s of any launcher pod, which may belong to no migration, to %j', (action, functions) => {
    const attributes = { type: `dev.knative.apiserver.resource.${action}`, kind: 'Pod', ...LAUNCHER_PODS };
    expect(subscribersOf(attributes)).toEqual(functions);
  });

  it('bring a sweep to reconcile every two minutes', () => {
    const [ping] = ofKind(manifests, 'sources.knative.dev/v1', 'PingSource').map(parsePingSource);
    expect(ping?.schedule).toBe('*/2 * * * *');
    expect(subscribersOf({ type: 'dev.knative.sources.ping' })).toEqual(['reconcile']);
  });

  it.each(['reuse-port', 'enable-dual-chassis', 'disable-dual-chassis', 'release-port', 'reconcile'] as const)(
    'do not bring the functions a reply of %s',
    (name) => {
      const ungated = [{ pod: pod('target-01-created-unscheduled'), gates: [], annotations: {}, events: [] }];
      const reply = replyOf(name, { vmi: VMI, facts: factsAt({}), changes: [], ungated })!;
      const { type, source, subject = '' } = reply;
      expect(source).toBe(`/ovn-handover/${name}`);
      expect(subscribersOf({ type, source, subject })).toEqual([]);
    },
  );

  it('have a function for every trigger, and a service account for every function', async () => {
    const functions = await readFunctions(PROJECT);
    expect(functions.map(({ name, namespace }) => ({ name, namespace }))).toEqual(
      expect.arrayContaining(triggers.map(({ subscriber }) => subscriber)),
    );
    const accounts = ofKind(manifests, 'v1', 'ServiceAccount').map(({ metadata }) => metadata.name);
    expect(accounts).toEqual(expect.arrayContaining(functions.map(({ name }) => name)));
    expect(functions.map(({ name, env }) => [name, env])).toEqual(
      functions.map(({ name }) => [name, expect.objectContaining({ FUNC_STEP: name })]),
    );
  });

  it('hand what a step gives up to reconcile, and what reconcile gives up to nobody', () => {
    const reconcile = { namespace: 'ovn-handover', name: 'reconcile' };
    expect(triggers.map(({ name, deadLetterSink }) => [name, deadLetterSink])).toEqual(
      triggers.map(({ name, subscriber }) => [name, subscriber.name === 'reconcile' ? undefined : reconcile]),
    );
  });

  it('give up on a gated pod before KubeVirt does, after 900 s', () => {
    const { delivery } = triggers.find(({ name }) => name === 'reuse-port') as Trigger;
    const waits = Array.from({ length: delivery.retries }, (_, retry) => delivery.wait(retry));
    expect(waits.reduce((sum, wait) => sum + wait, 0)).toBe(204_600);
  });
});
