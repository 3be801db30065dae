import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { GATE_COMPONENTS } from '../deploy/cluster.ts';
import { stagesOf } from '../deploy/stages.ts';
import { output } from '../deploy/tools.ts';
import { type FuncYaml, serviceOf } from './service.ts';

/**
 * Writes one file for each overlay, with all that it brings and the functions by their image, and one for each version of
 * the scheduling gate, which is to be applied last.
 */
export async function writeManifests(project: string, image: string, made: Date, folder: string): Promise<void> {
  const services = await Promise.all(
    (await funcYamls(project)).map(async (file) => serviceOf(await yamlOf(file), image)),
  );
  for (const overlay of await readdir(join(project, 'eventing/overlays'))) {
    const { base, triggers, sources } = stagesOf(await kustomized(project, 'overlays', overlay), made);
    const documents = [...base, ...services, ...triggers, ...sources];
    await writeFile(join(folder, `${overlay}.yaml`), documents.map((one) => stringify(one)).join('---\n'));
  }
  for (const gate of Object.values(GATE_COMPONENTS)) {
    await writeFile(join(folder, `${gate}.yaml`), await kustomized(project, 'components', gate));
  }
}

function kustomized(project: string, ...path: readonly string[]): Promise<string> {
  return output('kubectl', ['kustomize', join(project, 'eventing', ...path)]);
}

async function funcYamls(project: string): Promise<string[]> {
  const entries = await readdir(join(project, 'functions'), { recursive: true });
  return entries
    .filter((entry) => /^[^/]+\/func\.yaml$/.test(entry))
    .sort()
    .map((entry) => join(project, 'functions', entry));
}

async function yamlOf(file: string): Promise<FuncYaml> {
  return parse(await readFile(file, 'utf8'));
}
