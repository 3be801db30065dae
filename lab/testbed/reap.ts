// The reaper's process: waits for the starter's end, then cleans up. Arguments: the testbed's directory and prefix.
import { text } from 'node:stream/consumers';
import { cleanUp } from './cleanup.ts';
import { DISMISSED } from './reaper.ts';

const [directory, prefix] = process.argv.slice(2) as [string, string];
if ((await text(process.stdin)) !== DISMISSED) await cleanUp({ directory, prefix });
