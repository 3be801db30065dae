// A process that starts a testbed, says so, and stays. Arguments: directory, prefix, and `keep` to end at once instead.
import { startTestbed } from '../../../lab/testbed/testbed.ts';

const [directory, prefix, keep] = process.argv.slice(2) as [string, string, string?];
await startTestbed({ directory, prefix, keep: keep === 'keep' });
process.stdout.write('started\n');
if (keep !== 'keep') setInterval(() => {}, 1000);
