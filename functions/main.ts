/** The process of a function: settings, the runtime, and an end that loses no answer. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { HTTP } from 'cloudevents';
import { type Context, start } from 'faas-js-runtime';
import { readEventsByEventOf } from 'knative-eventing-ts-sdk';
import { SettingsError } from '../handover/decision/errors.ts';
import type { Log } from '../handover/kubernetes/log.ts';
import type { EventFunction } from './answering.ts';
import disableDualChassis from './disable-dual-chassis/index.ts';
import enableDualChassis from './enable-dual-chassis/index.ts';
import reconcile from './reconcile/index.ts';
import releasePort from './release-port/index.ts';
import reusePort from './reuse-port/index.ts';
import { settingsFrom } from './settings.ts';
import { checkStrategy, worldOf } from './world.ts';

/** Longer than any one event takes; Knative waits `terminationGracePeriodSeconds` for us, 30 s by default. */
const DRAIN_MS = 25_000;

/** An event holds a whole object; etcd takes one of 1.5 MiB, in which JSON may be longer than what is stored. */
const MAX_EVENT_BYTES = 4 * 1024 * 1024;

// faas-js-runtime ends with status 0 on what nobody caught; its own handler comes after this one.
process.on('uncaughtException', (error) => die(error instanceof SettingsError ? error.message : String(error.stack)));
// It asks the CloudEvents SDK, for which a content type in capital letters is no event: a 4xx, which nobody tries again.
readEventsByEventOf(HTTP);

/** Where the bundle is. */
declare const __dirname: string;

/** What the runtime calls its log, as far as it is used here. */
interface PinoLogger {
  child(fields: object, options: { readonly level: string }): Log;
}

const settings = settingsFrom(process.env);
const functions: Record<typeof settings.FUNC_STEP, EventFunction> = {
  'reuse-port': reusePort,
  'enable-dual-chassis': enableDualChassis,
  'disable-dual-chassis': disableDualChassis,
  'release-port': releasePort,
  reconcile,
};
const answer = functions[settings.FUNC_STEP];
const unanswered = new Set<ServerResponse>();
let draining = false;

/** Quieter than this the runtime says nothing of probes and requests, of which there are many more than decisions. */
const RUNTIME_LOG_LEVEL = 'warn';
const isQuieter = ['error', 'fatal', 'silent'].includes(settings.LOG_LEVEL);

const runtimeFunction = {
  handle: (context: Context, event?: unknown) =>
    answer(event, world, (context.log as unknown as PinoLogger).child({}, { level: settings.LOG_LEVEL })),
  liveness: () => 'OK',
  readiness() {
    if (draining) throw new Error('ends');
    return 'OK';
  },
  async shutdown() {
    draining = true;
    const deadline = AbortSignal.timeout(DRAIN_MS);
    for (const response of unanswered) await once(response, 'close', { signal: deadline }).catch(() => {});
    await (await world)[Symbol.asyncDispose]();
  },
};

const listening = start(
  runtimeFunction as unknown as Parameters<typeof start>[0],
  {
    logLevel: isQuieter ? settings.LOG_LEVEL : RUNTIME_LOG_LEVEL,
    name: settings.FUNC_STEP,
    // Else it reads the func.yaml in the working directory, and takes all functions for the one that the image is built from.
    config: __dirname,
    port: Number(settings.FUNC_PORT),
    bodyLimit: MAX_EVENT_BYTES,
  } as unknown as Parameters<typeof start>[1],
);
void listening.then((server) => {
  server.on('request', (_request, response: ServerResponse) => {
    unanswered.add(response);
    response.once('close', () => unanswered.delete(response));
  });
});
const world = listening.then(() => worldOf(settings));
void world.then(checkStrategy);

function die(line: string): never {
  process.stderr.write(`${line}\n`);
  process.exit(1);
}
