import { countUnderFire } from './increments.ts';

const [increments = '1000', kills = '20', hangs = '4', path = 'members'] = process.argv.slice(2);
const report = await countUnderFire({
  increments: Number(increments),
  kills: Number(kills),
  hangs: Number(hangs),
  byRelay: path === 'relay',
});
console.log(JSON.stringify(report, undefined, 2));
const isRight = report.counter === report.increments && report.wrong.length === 0;
console.log(isRight ? 'PASS: the counter is exact and no word was wrong' : 'FAIL');
process.exitCode = isRight ? 0 : 1;
