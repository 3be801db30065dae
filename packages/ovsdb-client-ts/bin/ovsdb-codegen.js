#!/usr/bin/env node
// A checkout has nothing built, and Node runs no TypeScript that is installed.
const isInstalled = import.meta.url.includes('/node_modules/');
const { main } = await import(isInstalled ? '../dist/codegen/main.js' : '../src/codegen/main.ts');
process.exitCode = await main(process.argv.slice(2));
