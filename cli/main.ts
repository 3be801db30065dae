#!/usr/bin/env node
const LEAST_NODE = 24;

if (Number(process.versions.node.split('.')[0]) < LEAST_NODE) {
  process.stderr.write(`ovn-handover: needs Node.js ${LEAST_NODE} or newer, this is ${process.versions.node}\n`);
  process.exitCode = 2;
} else {
  // Only now: an older one could not even load it.
  const [{ processTerminal }, { run }] = await Promise.all([import('./output/terminal.ts'), import('./program.ts')]);
  process.exitCode = await run(process.argv.slice(2), processTerminal(process.env), process.env);
}
