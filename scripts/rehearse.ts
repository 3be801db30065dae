/**
 * Runs a built function as far as it goes without OVN and Kubernetes, and keeps the code that V8 compiled on the way:
 * the next start takes it from there. A part of the build, in a process of its own because a function ends its process.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CODE_CACHE, compileBundle, runBundle } from '../functions/bundle.ts';
import { freePort } from '../lab/free-port.ts';

const directory = join(import.meta.dirname, '../dist');
const port = await freePort();
process.env = {
  FUNC_STEP: 'reuse-port',
  FUNC_PORT: `${port}`,
  OVN_NB_REMOTE: 'unix:/nowhere',
  OVN_SB_REMOTE: 'unix:/nowhere',
  KUBERNETES_SERVICE_HOST: '127.0.0.1',
  KUBERNETES_SERVICE_PORT: '443',
  LOG_LEVEL: 'error',
};

const script = compileBundle(directory);
runBundle(script, directory);
const url = `http://127.0.0.1:${port}`;
while (!(await fetch(`${url}/health/readiness`).catch(() => undefined))?.ok) await sleep(10);
const event = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/rehearsal', 'ce-type': 'rehearsal' };
await fetch(url, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json', ...event } });
writeFileSync(join(directory, CODE_CACHE), script.createCachedData());
process.exit(0);
