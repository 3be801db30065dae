import { expect, test } from '@jest/globals';
import { LookAgainError, TryAgainError } from '../../../handover/decision/errors.ts';

test('what is expected to pass says when to come again, in a second unless told otherwise, and why', () => {
  const cause = new Error('refused');
  expect(new TryAgainError('away', { cause })).toMatchObject({
    name: 'TryAgainError',
    message: 'away',
    retryAfterSeconds: 1,
    warning: undefined,
    cause,
  });
  expect(new TryAgainError('away', { retryAfterSeconds: 5, warning: 'ChassisUnknown' })).toMatchObject({
    retryAfterSeconds: 5,
    warning: 'ChassisUnknown',
  });
});

test('what may be so no longer is told apart from it', () => {
  const error = new LookAgainError('changed', { cause: 1 });
  expect(error).toMatchObject({ name: 'LookAgainError', message: 'changed', cause: 1 });
  expect(error).not.toBeInstanceOf(TryAgainError);
});
