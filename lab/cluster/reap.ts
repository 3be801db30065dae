// The reaper's process: waits for the supervisor's end, then cleans up. Arguments: the cluster's directory and prefix.
import { text } from 'node:stream/consumers';
import { cleanUp } from './cleanup.ts';

const [directory, prefix] = process.argv.slice(2) as [string, string];
await text(process.stdin);
await cleanUp({ directory, prefix });
