import { expect, test } from '@jest/globals';
import {
  LookAgainError,
  OutcomeUnknownError,
  SettingsError,
  TryAgainError,
} from '../../../handover/decision/errors.ts';

test('what is expected to pass says when to come again, in a second unless told otherwise, and why', () => {
  const cause = new Error('connection reset');
  expect({ ...new TryAgainError('away', { cause }) }).toEqual({ name: 'TryAgainError', retryAfterSeconds: 1 });
  expect(new TryAgainError('away', { cause })).toMatchObject({ message: 'away', cause });
  expect(new TryAgainError('away')).toMatchObject({ retryAfterSeconds: 1, cause: undefined });
  expect(new TryAgainError('away', { retryAfterSeconds: 5 })).toMatchObject({ retryAfterSeconds: 5 });
});

test('what is no longer so is told apart from it', () => {
  const error = new LookAgainError('changed', { cause: 1 });
  expect(error).toMatchObject({ name: 'LookAgainError', message: 'changed', cause: 1 });
  expect(error).not.toBeInstanceOf(TryAgainError);
});

test('a write of which it is not known whether it counts is looked at again, and told apart from one that does not', () => {
  expect(new OutcomeUnknownError('no answer')).toBeInstanceOf(LookAgainError);
  expect(new LookAgainError('changed')).not.toBeInstanceOf(OutcomeUnknownError);
});

test('a setting that is wrong has a name of its own', () => {
  expect(new SettingsError('settings: x', { cause: 1 })).toMatchObject({ name: 'SettingsError', cause: 1 });
});
