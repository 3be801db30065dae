import { lockAtRandom } from './locks.ts';

const [steps = '10000', seed = String(Date.now() % 100_000)] = process.argv.slice(2);
const { problems, ...report } = await lockAtRandom({ steps: Number(steps), seed: Number(seed) });
console.log(JSON.stringify(report));
console.log(problems.length === 0 ? 'PASS: every lock was where the model says' : `FAIL\n${problems.join('\n')}`);
process.exitCode = problems.length === 0 ? 0 : 1;
