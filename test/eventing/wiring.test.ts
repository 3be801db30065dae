import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { checkManifests } from 'knative-eventing-ts-sdk';
import { readFunctions } from '../../lab/knative/func-yaml.ts';
import { type Manifest, ofKind, readKustomization } from '../../lab/knative/manifests.ts';
import { parseSource, type SourceSpec } from '../../lab/knative/source-spec.ts';
import { parseTrigger, type Trigger } from '../../lab/knative/trigger.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

let manifests: Manifest[];
let triggers: Trigger[];
let source: SourceSpec;

beforeAll(async () => {
  manifests = await readKustomization(`${PROJECT}/eventing/overlays/kube-ovn`);
  triggers = ofKind(manifests, 'eventing.knative.dev/v1', 'Trigger').map(parseTrigger);
  [source] = ofKind(manifests, 'sources.knative.dev/v1', 'ApiServerSource').map(parseSource) as [SourceSpec];
});

describe('the source and the triggers', () => {
  it('mean what they say, by the checks of the SDK', () => {
    expect(checkManifests(manifests)).toEqual([]);
  });

  it('watches migrations, VMIs and target pods of all namespaces', () => {
    expect(source.resources.map(({ path, selector }) => [path, selector])).toEqual([
      ['/apis/kubevirt.io/v1/virtualmachineinstancemigrations', ''],
      ['/apis/kubevirt.io/v1/virtualmachineinstances', ''],
      ['/api/v1/pods', 'kubevirt.io=virt-launcher,kubevirt.io/migrationJobUID'],
    ]);
  });

  it.each([
    ['VirtualMachineInstanceMigration', 'add', ['reuse-port', 'enable-dual-chassis']],
    ['VirtualMachineInstanceMigration', 'update', ['reuse-port', 'enable-dual-chassis', 'disable-dual-chassis']],
    ['VirtualMachineInstanceMigration', 'delete', ['disable-dual-chassis']],
    ['Pod', 'add', ['reuse-port', 'enable-dual-chassis']],
    ['Pod', 'update', ['reuse-port', 'enable-dual-chassis', 'disable-dual-chassis']],
    ['Pod', 'delete', ['release-port']],
    ['VirtualMachineInstance', 'add', ['release-port']],
    ['VirtualMachineInstance', 'update', []],
    ['VirtualMachineInstance', 'delete', ['release-port']],
  ])('brings %s %s to %j', (kind, action, functions) => {
    const attributes = { type: `dev.knative.apiserver.resource.${action}`, kind };
    expect(triggers.filter(({ wants }) => wants(attributes)).map(({ name }) => name)).toEqual(functions);
  });

  it('does not bring the functions their own replies', () => {
    const attributes = { type: 'dev.ovn-handover.port.reused', source: '/reuse-port' };
    expect(triggers.filter(({ wants }) => wants(attributes))).toEqual([]);
  });

  it('has a function for every trigger, and a service account for every function', async () => {
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

  it('hands what a step gives up to reconcile, and what reconcile gives up to nobody', () => {
    const reconcile = { namespace: 'ovn-handover', name: 'reconcile' };
    expect(triggers.map(({ name, deadLetterSink }) => [name, deadLetterSink])).toEqual(
      triggers.map(({ name }) => [name, name === 'reconcile' ? undefined : reconcile]),
    );
  });

  it('gives up on a gated pod before KubeVirt does, after 300 s', () => {
    const { delivery } = triggers.find(({ name }) => name === 'reuse-port') as Trigger;
    const waits = Array.from({ length: delivery.retries }, (_, retry) => delivery.wait(retry));
    expect(waits.reduce((sum, wait) => sum + wait, 0)).toBe(204_600);
  });
});
