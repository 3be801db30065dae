// A process that starts a testbed, says so, and stays. Arguments: directory, prefix, and `keep` to end at once instead, or
// `nothing` to have the testbed's names alone.
import { hold } from '../../../lab/testbed/holder.ts';
import { startTestbed } from '../../../lab/testbed/testbed.ts';

const [directory, prefix, how] = process.argv.slice(2) as [string, string, string?];
if (how === 'nothing') await hold(prefix, directory, 'lab -- down');
else await startTestbed({ directory, prefix, keep: how === 'keep' });
process.stdout.write('started\n');
if (how !== 'keep') setInterval(() => {}, 1000);
