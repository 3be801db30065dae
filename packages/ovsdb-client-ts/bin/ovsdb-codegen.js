#!/usr/bin/env node
import { existsSync } from 'node:fs';

// A checkout has the sources, the published package what was built from them.
const built = new URL('../dist/codegen/main.js', import.meta.url);
const { main } = await import(existsSync(built) ? built.href : '../src/codegen/main.ts');
process.exitCode = main(process.argv.slice(2));
