import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Entry } from '../../../../lab/knative/journal.ts';
import { Serving } from '../../../../lab/knative/serving.ts';

const RUNTIME = createRequire(import.meta.url).resolve('faas-js-runtime/bin/cli.js');
const MODULE = fileURLToPath(new URL('function.ts', import.meta.url));
const PROJECT = fileURLToPath(new URL('../../../..', import.meta.url));

const SERVICE = { namespace: 'shop', name: 'greet' };

/** Serves `function.ts` as `shop/greet` under the real faas-js-runtime. */
export async function startServing(options: { idle: number; env?: Record<string, string> }) {
  const logs = await mkdtemp(join(tmpdir(), 'knative-test-'));
  const journal: Entry[] = [];
  const serving = new Serving({
    functions: [{ ...SERVICE, serviceAccount: 'greet', env: { GREETING: 'hello' }, readiness: '/health/readiness' }],
    command: () => ({
      file: process.execPath,
      args: ['--conditions=ovn-handover-source', '--no-warnings', RUNTIME, MODULE],
      cwd: PROJECT,
      env: options.env ?? {},
    }),
    idle: options.idle,
    logs,
    journal: (entry) => journal.push(entry),
  });
  await serving.start();
  return {
    serving,
    journal,
    url: serving.urlOf(SERVICE),
    output: () => readFileSync(join(logs, 'greet.log'), 'utf8'),
    async stop() {
      await serving.stop();
      await rm(logs, { recursive: true });
    },
  };
}
