import { readdirSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { checkManifest, checkManifests } from 'knative-eventing-ts-sdk';
import { parseAllDocuments, stringify } from 'yaml';
import { settingsFrom } from '../../functions/settings.ts';
import { type Manifest, readKustomization } from '../../lab/knative/manifests.ts';
import { ApiServer } from './support/api-server.ts';
import { typosIn } from './support/typos.ts';

jest.setTimeout(300_000);

const EVENTING = fileURLToPath(new URL('../../eventing', import.meta.url));
const OVERLAYS = readdirSync(join(EVENTING, 'overlays'));
const GATE = 'components/scheduling-gate';

let server: ApiServer;

beforeAll(async () => {
  server = await ApiServer.start();
});
afterAll(() => server?.[Symbol.asyncDispose]());

/** What kustomize makes of a folder of eventing/. */
async function build(folder: string): Promise<Manifest[]> {
  return parseAll(await server.kubectl('kustomize', join(EVENTING, folder)));
}

function parseAll(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
}

describe.each(OVERLAYS)('eventing/overlays/%s', (overlay) => {
  test('is accepted by the API server, and means what it says by the checks of the SDK', async () => {
    const { length } = await build(`overlays/${overlay}`);
    expect(checkManifests(await build(`overlays/${overlay}`))).toEqual([]);
    const said = await server.kubectl('apply', '-k', join(EVENTING, 'overlays', overlay));
    expect(said.split('\n').filter((line) => /(created|configured|unchanged)$/.test(line))).toHaveLength(length);
  });

  test('has settings that the functions start with, and no other', async () => {
    const settings = (await build(`overlays/${overlay}`)).find(
      ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'ovn-handover',
    )?.data;
    const certificates = { OVN_CERT: '/cert', OVN_KEY: '/key', OVN_CA: '/cacert' };
    expect(settingsFrom({ FUNC_STEP: 'reuse-port', ...certificates, ...settings })).toMatchObject(settings ?? {});
    const schema = JSON.parse(await readFile(join(EVENTING, '../schemas/settings.schema.json'), 'utf8'));
    expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(Object.keys(settings ?? {})));
  });
});

test('with Kafka all of both sources goes through what names the VM as the partition key', async () => {
  const sources = (await build('overlays/kube-ovn-kafka')).filter(({ kind }) => kind === 'ApiServerSource');
  const ref = expect.objectContaining({ kind: 'EventTransform', name: 'key-by-vm' });
  expect(sources.map(({ metadata, spec }) => [metadata.name, (spec as { sink: object }).sink])).toEqual([
    ['launcher-pods', { ref }],
    ['migrations', { ref }],
  ]);
});

test('with labelled-namespaces both sources hear of the namespaces with the label alone, and all else stays', async () => {
  const folder = join(dirname(server.kubeconfig), 'labelled');
  const to = (path: string) => relative(folder, join(EVENTING, path));
  await mkdir(folder);
  const kustomization = { resources: [to('overlays/kube-ovn')], components: [to('components/labelled-namespaces')] };
  await writeFile(join(folder, 'kustomization.yaml'), stringify(kustomization));
  const all = await build('overlays/kube-ovn');
  const labelled = parseAll(await server.kubectl('kustomize', folder));
  expect(checkManifests(labelled)).toEqual([]);
  expect(labelled).toEqual(
    all.map((manifest) => {
      if (manifest.kind !== 'ApiServerSource') return manifest;
      const namespaceSelector = { matchLabels: { 'ovn-handover.dev/watch': 'true' } };
      return { ...manifest, spec: { ...(manifest.spec as object), namespaceSelector } };
    }),
  );
  expect(all.filter(({ kind }) => kind === 'ApiServerSource')).toHaveLength(2);
  await server.kubectl('apply', '-k', folder);
});

test('the stand-ins of the lab read the overlay kube-ovn as kustomize does', async () => {
  const byName = (one: Manifest, other: Manifest) => (keyOf(one) < keyOf(other) ? -1 : 1);
  const keyOf = ({ kind, metadata }: Manifest) => `${kind} ${metadata.name}`;
  const read = await readKustomization(join(EVENTING, 'overlays/kube-ovn'));
  expect(read.sort(byName)).toEqual((await build('overlays/kube-ovn')).sort(byName));
});

describe('the scheduling gate', () => {
  test('is accepted by the API server as v1', async () => {
    const said = await server.kubectl('apply', '-k', join(EVENTING, GATE));
    expect(said).toMatch(/mutatingadmissionpolicy.* created\nmutatingadmissionpolicybinding.* created$/);
  });

  test('is the same as v1beta1, but for the version', async () => {
    const older = (await build(`${GATE}-v1beta1`)).map(({ apiVersion, ...rest }) => {
      expect(apiVersion).toBe('admissionregistration.k8s.io/v1beta1');
      return { apiVersion: 'admissionregistration.k8s.io/v1', ...rest };
    });
    expect(older).toEqual(await build(GATE));
  });
});

test('a letter too many in any key of any kind is caught, by the SDK or by the API server', async () => {
  const all = (await Promise.all([...OVERLAYS.map((overlay) => `overlays/${overlay}`), GATE].map(build))).flat();
  const kinds = Map.groupBy(all, ({ kind }) => kind);
  const missed: string[] = [];
  const table = [];
  for (const [kind, [example]] of kinds) {
    const typos = typosIn(example!);
    const bySdk = typos.filter(({ document }) => checkManifest(document).length > 0);
    const rest = typos.filter((typo) => !bySdk.includes(typo));
    const caught = await Promise.all(rest.map(async ({ document }) => ((await rejected(document)) ? 1 : 0)));
    missed.push(...rest.flatMap(({ where }, index) => (caught[index] === 0 ? [`${kind}${where}`] : [])));
    table.push({ kind, typos: typos.length, bySdk: bySdk.length, byApiServer: caught.filter(Boolean).length });
  }
  console.table(table);
  expect(missed).toEqual([]);
});

let files = 0;
async function rejected(manifest: object): Promise<boolean> {
  const file = join(dirname(server.kubeconfig), `typo-${files++}.json`);
  await writeFile(file, JSON.stringify(manifest));
  const apply = server.kubectl('apply', '--dry-run=server', '--validate=strict', '-f', file);
  return apply.then(
    () => false,
    () => true,
  );
}
