import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readYaml } from '../../knative/manifests.ts';
import { goModule } from '../go-sources.ts';
import { type InstallManifests, installManifests, type Settings } from './install-manifests.ts';

/**
 * Knative Serving as its own release installs it.
 * @param settings of its ConfigMaps
 */
export async function servingManifests(settings: Settings): Promise<InstallManifests> {
  const pins = 'knative-serving';
  const serving = await goModule(pins, 'knative.dev/serving');
  const networking = await goModule(pins, 'knative.dev/networking');
  const caching = await goModule(pins, 'knative.dev/caching');
  const folders = [`${serving}/config/core`, `${networking}/config`, `${caching}/config`];
  return installManifests(await readAll(folders), settings);
}

/** Knative Eventing as its own release installs it, with the broker of channels in memory. */
export async function eventingManifests(): Promise<InstallManifests> {
  const eventing = await goModule('knative-eventing', 'knative.dev/eventing');
  const parts = ['config/core', 'config/brokers/mt-channel-broker', 'config/channels/in-memory-channel'];
  // Names of images that the controller does not start without.
  const integrations = 'third_party/eventing-integrations-latest';
  return installManifests(await readAll([...parts, integrations].map((part) => join(eventing, part))));
}

async function readAll(folders: readonly string[]): Promise<unknown[]> {
  const documents: unknown[] = [];
  for (const folder of folders) {
    const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.yaml')).sort();
    for (const file of files) documents.push(...(await readYaml(join(folder, file))));
  }
  return documents;
}
