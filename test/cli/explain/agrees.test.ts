/** What explain says that a function would write is what that function then does, at 200 random moments of migrations. */
import { afterEach, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { FUNCTIONS } from '../../../cli/cluster/installation.ts';
import { explanationOf } from '../../../cli/explain/explanation.ts';
import { observe } from '../../../handover/observe.ts';
import { Model, REFERENCE } from '../../handover/support/model.ts';

afterEach(() => {
  jest.useRealTimers();
});

const step = fc.constantFrom('migrate', 'gated', 'plug', 'ready', 'succeed', 'fail', 'strip', 'time', ...FUNCTIONS);
const LOOKS = 200;

test('explain agrees with what the functions then do', async () => {
  let looks = 0;
  let writing = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 10 }), fc.constantFrom(...FUNCTIONS), async (steps, name) => {
      const model = new Model();
      let current: ReturnType<Model['migrate']> | undefined;
      for (const each of steps) {
        if (each === 'migrate' || each === 'gated') current ??= model.migrate(undefined, each === 'gated');
        else if (each === 'plug') current && model.plug(current.pod, 'b');
        else if (each === 'ready') current && model.api.markReady(model.vm, current.pod);
        else if (each === 'succeed') current && model.vm.podNow(current.pod).spec.nodeName && model.succeed(current);
        else if (each === 'fail') current && model.setPhase(current.uid, 'Failed');
        else if (each === 'strip') model.write({ options: {} });
        else if (each === 'time') model.advance(3_000);
        else await model.call(each).catch(() => {});
      }
      const observed = await observe('reconcile', { vmi: REFERENCE }, model.coldWorld());
      const explained = explanationOf(observed, model.world).functions.find((one) => one.name === name)!;
      model.restart();
      const writes = () =>
        model.writes().map(({ operations }) => operations.filter(({ op }) => op === 'mutate').length);
      await model.call(name).catch(() => {});
      looks++;
      // A call may look again, and write more; what it does at its first look is what was explained.
      const [first = 0] = writes();
      expect(first).toBe(explained.writes.length);
      if (first === 0) return;
      writing++;
      const mutate = model.writes()[0]!.operations.find(({ op }) => op === 'mutate') as unknown as {
        readonly mutations: readonly (readonly [string, string, readonly [string, readonly (readonly string[])[]]])[];
      };
      const inserted = Object.fromEntries(mutate.mutations[1]![2][1] as readonly (readonly [string, string])[]);
      const { 'handover-since': _then, ...written } = inserted;
      const { 'handover-since': _said, ...said } = explained.writes[0]!.options;
      expect(written).toEqual(said);
    }),
    { numRuns: LOOKS },
  );
  expect(looks).toBeGreaterThanOrEqual(LOOKS);
  // Otherwise it would have agreed on nothing.
  expect(writing).toBeGreaterThan(LOOKS / 20);
});
