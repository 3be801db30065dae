import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KubeConfig } from '@kubernetes/client-node';
import { Command, InvalidArgumentError } from 'commander';
import { checkManifests } from 'knative-eventing-ts-sdk';
import { serviceAccountKubeconfig } from '../cluster/service-accounts.ts';
import { Broker } from './broker.ts';
import { readFunctions } from './func-yaml.ts';
import { openJournal } from './journal.ts';
import { ManifestError, ofKind, readKustomization } from './manifests.ts';
import { PingSource, parsePingSource } from './ping-source.ts';
import { Serving } from './serving.ts';
import { ApiServerSource } from './source.ts';
import { parseSource } from './source-spec.ts';

const PROJECT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
/** What `npm run build` makes of `functions/`. */
const FUNCTION = 'dist/index.mjs';

interface Options {
  readonly kubeconfig: string;
  readonly serviceAccounts?: string;
  readonly log: string;
  readonly eventing: string;
  readonly eventDelay: number;
  readonly port: number;
  readonly idle: number;
  readonly env: Readonly<Record<string, string>>;
  readonly functions: boolean;
  readonly source: boolean;
  readonly pingSource: boolean;
}

const program = new Command('knative')
  .description("Stand-ins for Knative's source, broker and activator, by the project's own eventing/ and functions/")
  .requiredOption('--kubeconfig <file>', 'the Kubernetes API that the source watches; also given to the functions')
  .requiredOption('--log <file>', 'JSON lines of all that happens; the output of the functions goes beside it')
  .option(
    '--eventing <folder>',
    'kustomization with source, broker and triggers',
    `${PROJECT}/eventing/overlays/kube-ovn`,
  )
  .option(
    '--service-accounts <folder>',
    "has a kubeconfig for each function's ServiceAccount, which it is given instead",
  )
  .option('--event-delay <ms>', 'how much later than the broker a function hears of an event', milliseconds, 0)
  .option('--port <number>', "of the broker's ingress; 0 takes a free one", Number, 0)
  .option('--idle <ms>', 'time without requests after which a function is ended', milliseconds, 60_000)
  .option('--env <key=value>', 'setting for all functions; repeatable', assignment, {})
  .option('--no-functions', 'leave the functions out: nobody hears of the events')
  .option('--no-ping-source', 'leave the PingSource out: a sweep comes when an event asks for it')
  .option('--no-source', 'leave the ApiServerSource out: a real one brings the events')
  .parse();

try {
  await run(program.opts<Options>());
} catch (error) {
  console.error(error instanceof ManifestError ? error.message : error);
  process.exit(1);
}

async function run(options: Options): Promise<void> {
  if (options.functions && !existsSync(join(PROJECT, FUNCTION))) {
    program.error(`${FUNCTION} is missing: build the functions first ('npm run build')`);
  }
  const journal = openJournal(options.log);
  const manifests = await readKustomization(options.eventing);
  for (const { manifest, where, what } of checkManifests(manifests))
    throw new ManifestError(`${manifest} ${where}`, what);
  const config = new KubeConfig();
  config.loadFromFile(options.kubeconfig);

  const serving = new Serving({
    functions: options.functions ? await readFunctions(PROJECT) : [],
    command: ({ namespace, serviceAccount }) => ({
      file: process.execPath,
      args: [FUNCTION],
      cwd: PROJECT,
      env: {
        KUBECONFIG: options.serviceAccounts
          ? serviceAccountKubeconfig(resolve(options.serviceAccounts), namespace, serviceAccount)
          : resolve(options.kubeconfig),
        ...options.env,
      },
    }),
    idle: options.idle,
    logs: dirname(options.log),
    journal: journal.write,
  });
  await serving.start();

  const broker = new Broker({
    manifests,
    resolve: (service) => (options.functions ? serving.urlOf(service) : undefined),
    delay: options.eventDelay,
    journal: journal.write,
  });
  await broker.start(options.port);

  const manifestsOfSources = options.source ? ofKind(manifests, 'sources.knative.dev/v1', 'ApiServerSource') : [];
  const specs = manifestsOfSources.map(parseSource);
  const sources = specs.map((spec) => {
    const sink = broker.urlOf(spec.sink.namespace, spec.sink.name);
    return new ApiServerSource(spec, config, { sink, journal: journal.write });
  });

  const manifestsOfPings = options.pingSource ? ofKind(manifests, 'sources.knative.dev/v1', 'PingSource') : [];
  const pings = manifestsOfPings.map((manifest) => {
    const spec = parsePingSource(manifest);
    return new PingSource(spec, { sink: broker.urlOf(spec.sink.namespace, spec.sink.name), journal: journal.write });
  });

  const stop = async () => {
    await Promise.all([...sources, ...pings].map((source) => source.stop()));
    await broker.stop();
    await serving.stop();
    process.exit(0);
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);

  await Promise.all(sources.map((source) => source.start()));
  for (const ping of pings) ping.start();
  const kinds = new Set(specs.flatMap((spec) => spec.resources.map(({ kind }) => kind)));
  const watched = [...kinds].join(', ') || 'a source elsewhere';
  console.log(`Ready: events of ${watched}${options.functions ? '' : ', but no functions'}.`);
}

function milliseconds(value: string): number {
  if (!/^\d+$/.test(value)) throw new InvalidArgumentError('must be a number of milliseconds');
  return Number(value);
}

function assignment(value: string, previous: Record<string, string>): Record<string, string> {
  const [, key, setting] = /^([A-Za-z_]\w*)=(.*)$/s.exec(value) ?? [];
  if (key === undefined || setting === undefined) throw new InvalidArgumentError('must be KEY=VALUE');
  return { ...previous, [key]: setting };
}
