/**
 * Runs a built function as far as it goes without OVN and Kubernetes, and keeps the code that V8 compiled on the way:
 * the next start takes it from there. A part of the build, in a process of its own because a function ends its process.
 *
 * The same bundle gets the same cache, however busy the machine is: so V8 makes no machine code meanwhile, of which the cache
 * would have marks by time, and all is waited for that happens in the first second.
 */
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { CODE_CACHE, compileBundle, runBundle } from '../functions/bundle.ts';
import { freePort } from '../lab/free-port.ts';

/** V8's compilers of machine code. The cache fits the flags with which it is written, so they are as ever then. */
const COMPILERS = ['sparkplug', 'maglev', 'turbofan'];
/** The latest is the timer of the Kubernetes client's HTTP, after half a second. */
const SETTLED_MS = 1_200;

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

for (const compiler of COMPILERS) setFlagsFromString(`--no-${compiler}`);
const script = compileBundle(directory);
runBundle(script, directory);
const url = `http://127.0.0.1:${port}`;
// What V8 makes of the code depends on how often it runs: so nothing is asked until it listens.
while (!(await accepts(port))) await sleep(10);
await (await fetch(`${url}/health/readiness`)).text();
const event = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/rehearsal', 'ce-type': 'rehearsal' };
await (
  await fetch(url, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json', ...event } })
).text();
await sleep(SETTLED_MS);
for (const compiler of COMPILERS) setFlagsFromString(`--${compiler}`);
writeFileSync(join(directory, CODE_CACHE), script.createCachedData());
process.exit(0);

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.once('connect', () => socket.destroy());
    socket.once('error', () => resolve(false));
  });
}
