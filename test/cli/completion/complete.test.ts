import { expect, test } from '@jest/globals';
import { complete } from '../../../cli/completion/complete.ts';
import { programFor } from '../../../cli/program.ts';

const program = programFor({ columns: 80, hasColour: false, print() {}, progress() {} }, {}, () => {});

test.each([
  [[''], ['doctor', 'status', 'explain', 'resync', 'history', 'remove', 'bundle', 'completion'], false],
  [['re'], ['resync', 'remove'], false],
  [['status', ''], [], true],
  [['explain', 'prod/we'], [], true],
  [['explain', 'prod/web-01', ''], [], false],
  [['status', '-o', ''], ['table', 'json'], false],
  [['-o', 'j'], ['json'], false],
  [['--context', ''], [], false],
  [['resync', '--w'], ['--write'], false],
  [['--ovn', 'p'], ['port-forward'], false],
  [['completion', ''], ['bash', 'zsh', 'fish'], false],
  [['nonsense', ''], ['doctor', 'status', 'explain', 'resync', 'history', 'remove', 'bundle', 'completion'], false],
])('after %j comes one of %j', (typed, words, isVm) => {
  const found = complete(program, typed);
  expect({ words: [...found.words].sort(), isVm: found.isVm }).toEqual({ words: [...words].sort(), isVm });
});
