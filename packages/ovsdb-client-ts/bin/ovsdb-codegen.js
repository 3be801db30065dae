#!/usr/bin/env node
import { existsSync } from 'node:fs';

// A checkout has the sources, the published package only what was built from them.
const source = new URL('../src/codegen/main.ts', import.meta.url);
const { main } = await import(existsSync(source) ? source.href : '../dist/codegen/main.js');
process.exitCode = await main(process.argv.slice(2));
