/** The process of a function: settings, the server, and an end that loses no answer. */
import { SettingsError } from '../handover/decision/errors.ts';
import type { EventFunction } from './answering.ts';
import disableDualChassis from './disable-dual-chassis/index.ts';
import enableDualChassis from './enable-dual-chassis/index.ts';
import reconcile from './reconcile/index.ts';
import releasePort from './release-port/index.ts';
import reusePort from './reuse-port/index.ts';
import { jsonLog } from './server/log.ts';
import { serve } from './server/serve.ts';
import { settingsFrom } from './settings.ts';
import { checkStrategy, worldOf } from './world.ts';

/** Longer than any one event takes; Knative waits `terminationGracePeriodSeconds` for us, 30 s by default. */
const DRAIN_MS = 25_000;

/** An event holds a whole object; etcd takes one of 1.5 MiB, in which JSON may be longer than what is stored. */
const MAX_EVENT_BYTES = 4 * 1024 * 1024;

process.on('uncaughtException', (error) => die(error instanceof SettingsError ? error.message : String(error.stack)));

const settings = settingsFrom(process.env);
const functions: Record<typeof settings.FUNC_STEP, EventFunction> = {
  'reuse-port': reusePort,
  'enable-dual-chassis': enableDualChassis,
  'disable-dual-chassis': disableDualChassis,
  'release-port': releasePort,
  reconcile,
};
const answer = functions[settings.FUNC_STEP];
const log = jsonLog(settings.LOG_LEVEL);

const listening = serve(
  {
    handle: (_context, event) => answer(event, world, log),
    shutdown: async () => (await world)[Symbol.asyncDispose](),
  },
  {
    name: settings.FUNC_STEP,
    port: Number(settings.FUNC_PORT),
    log,
    maxBytes: MAX_EVENT_BYTES,
    drainMs: DRAIN_MS,
  },
);
const world = listening.then(() => worldOf(settings));
void world.then(checkStrategy);

function die(line: string): never {
  process.stderr.write(`${line}\n`);
  process.exit(1);
}
