import { afterEach, expect, jest, test } from '@jest/globals';
import { lookAt } from '../../../cli/status/look.ts';
import { statusOf } from '../../../cli/status/vm-status.ts';
import { Model, REFERENCE } from '../../handover/support/model.ts';

afterEach(() => {
  jest.useRealTimers();
});

test('what is wrong is shown also where it takes longer to read it than a function would rely on it', async () => {
  const model = new Model();
  model.migrate(undefined, true);
  model.beforeExchange = () => model.advance(1_500);
  const status = statusOf(await lookAt({ vmi: REFERENCE }, model.coldWorld()));
  expect(status).toMatchObject({
    isRight: false,
    ports: [{ rule: '3d', wouldWrite: { 'requested-chassis': 'chassis-a' } }],
  });
});
