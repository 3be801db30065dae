import { convertAtRandom } from './convert.ts';

const [conversions = '40', seed = String(Date.now() % 100_000)] = process.argv.slice(2);
let isRight = true;
for (const isClustered of [false, true]) {
  const report = await convertAtRandom({ conversions: Number(conversions), seed: Number(seed), isClustered });
  const { problems, ...figures } = report;
  console.log(JSON.stringify({ model: isClustered ? 'clustered' : 'standalone', ...figures }));
  for (const problem of problems) console.log(problem);
  isRight &&= problems.length === 0;
}
console.log(isRight ? 'PASS: monitors, caches and writers went on through every conversion' : 'FAIL');
process.exitCode = isRight ? 0 : 1;
