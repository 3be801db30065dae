import { brokenPromises, latePromises, type MigrationResult, type Report } from './result.ts';

/** From here on, a time that is too long says nothing of the network: others have nearly all of the machine. */
const TOO_BUSY = 0.95;

export interface Verdict {
  readonly word: 'PASSED' | 'DONE' | 'FAILED' | 'UNMEASURED';
  readonly lines: readonly string[];
}

/** What a run showed of the network: also that it could not, where others had the machine. */
export function verdictOn({ mode, migrations }: Report): Verdict {
  const named = (one: MigrationResult, promises: readonly string[]) =>
    promises.map((promise) => `${one.migration}: ${promise}`);
  const late = migrations.flatMap((one) => (isTooBusy(one) ? named(one, latePromises(one)) : []));
  const broken = migrations.flatMap((one) => named(one, brokenPromises(one))).filter((line) => !late.includes(line));
  if (broken.length > 0) return { word: 'FAILED', lines: broken };
  if (late.length > 0) {
    const busy = 'the machine was too busy to measure that: give it fewer other things to do, and run this again';
    return { word: 'UNMEASURED', lines: [...late, busy] };
  }
  const count = migrations.length;
  if (mode !== 'handover') return { word: 'DONE', lines: [`${count} migrations for comparison`] };
  return {
    word: 'PASSED',
    lines: [`${count} of ${count} hand-overs: the network was out for under 500 ms, TCP unbroken, opened by RARP`],
  };
}

/** Says it on the terminal, and in the process's exit code: 1 where the network failed, 2 where it could not be judged. */
export function pronounce({ word, lines }: Verdict): void {
  const say = word === 'FAILED' || word === 'UNMEASURED' ? console.error : console.log;
  for (const line of lines) say(`${word.padEnd(6)}  ${line}`);
  if (word === 'FAILED') process.exitCode = 1;
  if (word === 'UNMEASURED') process.exitCode = 2;
}

/** How busy the machine was, in words. */
export function loadInWords(machineBusy: number): string {
  const busy = `the machine's cores were ${Math.round(machineBusy * 100)} % busy in the quiet seconds around it`;
  return machineBusy < TOO_BUSY ? busy : `${busy}: others have them, so times say little of the network`;
}

function isTooBusy({ machineBusy = 0 }: MigrationResult): boolean {
  return machineBusy >= TOO_BUSY;
}
