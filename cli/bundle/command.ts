import { writeFile } from 'node:fs/promises';
import type { VmiReference } from '../../handover/decision/kubevirt.ts';
import type { Observation } from '../../handover/decision/observation.ts';
import type { World } from '../../handover/observe.ts';
import { type ClusterApi, type Kind, type KubernetesObject, pathOf } from '../cluster/api.ts';
import { NAMESPACE } from '../cluster/installation.ts';
import { KINDS } from '../cluster/kinds.ts';
import type { Pod } from '../cluster/port-forward.ts';
import type { WorldOfMany } from '../cluster/session.ts';
import type { Command } from '../command.ts';
import { examine } from '../doctor/checks.ts';
import { checkedText } from '../doctor/command.ts';
import { readAll } from '../doctor/read.ts';
import { EXIT, type ExitStatus } from '../errors.ts';
import { explanationOf } from '../explain/explanation.ts';
import { type DatedMigration, pastMigrations } from '../history/past-migration.ts';
import { paragraph } from '../output/wrap.ts';
import { lookAt, nameOf } from '../status/look.ts';
import { statusOf } from '../status/vm-status.ts';
import { vmsOf } from '../status/vms.ts';
import { archiveOf, type Entry } from './archive.ts';
import { redacted } from './redact.ts';

/** Of our namespace; Secrets are none of them. */
const OBJECTS = [
  'configMaps',
  'knativeServices',
  'brokers',
  'triggers',
  'apiServerSources',
  'pingSources',
  'deployments',
  'pods',
  'events',
] as const satisfies readonly (keyof typeof KINDS)[];
const MAX_LOG_LINES = 5_000;

/** Writes all that the other commands show, with logs and objects, into one archive to be sent to somebody. */
export async function bundle(
  { session, terminal, output }: Command,
  { file }: { readonly file?: string },
): Promise<ExitStatus> {
  const now = new Date();
  const folder = `ovn-handover-${now.toISOString().slice(0, 19).replaceAll(/[:T]/g, '-')}`;
  const { seen, stages } = await readAll(session, { probe: false });
  const checked = examine(seen, stages);
  const entries: Entry[] = [
    { name: 'doctor.json', content: json(checked) },
    { name: 'doctor.txt', content: checkedText(checked, { ...terminal, hasColour: false }) },
    { name: 'seen.json', content: json({ ...seen, certificates: undefined }) },
  ];
  const add = async (name: string, read: () => Promise<readonly Entry[]>) => {
    terminal.progress(`reading ${name}`);
    // What cannot be read is worth knowing too.
    entries.push(...(await read().catch((error: Error) => [{ name: `${name}.error.txt`, content: error.message }])));
  };
  await add('vms', async () => vmEntries(session.api, await session.world()));
  await add('objects', () => objectEntries(session.api));
  await add('logs', () => logEntries(session.api));
  const path = file ?? `${folder}.tar.gz`;
  await writeFile(path, await archiveOf(folder, entries), { mode: 0o600 });
  const names = entries.map(({ name }) => name);
  if (output === 'json') terminal.print(json({ file: path, entries: names }));
  else {
    const what = `${path}: ${names.length} files, Secrets left out. Look through it before you send it.`;
    terminal.print(paragraph(what, terminal.columns));
  }
  return EXIT.ok;
}

async function vmEntries(api: ClusterApi, world: WorldOfMany): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  const vmis = await vmsOf(api, world);
  await world.northbound.locate(vmis);
  for (const vmi of vmis) entries.push(...(await entriesOf(vmi, api, world)));
  return entries;
}

async function entriesOf(vmi: VmiReference, api: ClusterApi, world: World): Promise<readonly Entry[]> {
  const folder = `vms/${vmi.namespace}/${vmi.name}`;
  try {
    const look = await lookAt({ vmi }, world);
    const migrations = await api.list<DatedMigration>(KINDS.migrations, { namespace: vmi.namespace });
    return [
      { name: `${folder}/status.json`, content: json(statusOf(look)) },
      { name: `${folder}/explain.json`, content: json(explanationOf(look.observed, world)) },
      { name: `${folder}/rows.json`, content: json(rowsIn(look.observed)) },
      { name: `${folder}/history.json`, content: json(pastMigrations(migrations, vmi.name)) },
    ];
  } catch (error) {
    return [{ name: `${folder}/error.txt`, content: `${nameOf(vmi)}: ${(error as Error).message}` }];
  }
}

function rowsIn({ ports, southbound }: Observation): object {
  return {
    northbound: ports.map(({ port }) => port),
    southbound: { bindings: [...southbound.bindings.values()], chassis: Object.fromEntries(southbound.chassis) },
  };
}

async function objectEntries(api: ClusterApi): Promise<readonly Entry[]> {
  return await Promise.all(
    OBJECTS.map(async (name) => {
      const kind: Kind = KINDS[name];
      const objects = await api.list<KubernetesObject>(kind, { namespace: NAMESPACE });
      return { name: `objects/${kind.plural}.json`, content: json(redacted(objects)) };
    }),
  );
}

async function logEntries(api: ClusterApi): Promise<readonly Entry[]> {
  const pods = await api.list<Pod>(KINDS.pods, { namespace: NAMESPACE });
  const containers = pods.flatMap(({ metadata, spec }) =>
    (spec.containers ?? []).map((container) => ({ pod: metadata.name, container: container.name })),
  );
  return await Promise.all(
    containers.map(async ({ pod, container }) => {
      const query = { container, tailLines: `${MAX_LOG_LINES}` };
      const content = await api.text([...pathOf(KINDS.pods, NAMESPACE, pod), 'log'], query).catch(String);
      return { name: `logs/${pod}/${container}.log`, content };
    }),
  );
}

function json(value: unknown): string {
  return JSON.stringify(value, undefined, 2);
}
