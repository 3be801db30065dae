/** Each decision is one line of the log, with what is looked for as fields. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { Model, REFERENCE } from './support/model.ts';

const EVENT = { id: 'event-1', traceparent: '00-trace', givenUpBy: undefined, sentAt: undefined, showsSwitch: false };
const COMMON = { vmi: 'prod/vm0', vmim: 'kubevirt-migrate-vm0-3', event: 'event-1', traceparent: '00-trace' };

let model: Model;
beforeEach(() => {
  model = new Model();
});

const linesOf = (level: string) => model.logged.filter((line) => line.level === level);
const request = { vmi: REFERENCE, event: EVENT };

describe('the log', () => {
  test('says of each port that is bound, and each pod that is let go, what was decided and why', async () => {
    model.migrate(undefined, true);
    await model.call('reuse-port', request);
    const common = { level: 'info', ...COMMON, function: 'reuse-port' };
    expect(linesOf('info')).toEqual([
      {
        ...common,
        port: 'vm0.prod',
        rule: '3d',
        result: 'pinned',
        message: 'Port vm0.prod: requested-chassis is chassis-a, for migration kubevirt-migrate-vm0-3 (rule 3d).',
      },
      {
        ...common,
        pod: 'virt-launcher-vm0-4',
        result: 'ungated',
        message: 'Pod virt-launcher-vm0-4 was let off ovn-handover.dev/port.',
      },
    ]);
  });

  test('says nothing of a pod that is only annotated', async () => {
    model.migrate();
    await model.call('reuse-port', request);
    expect(linesOf('info').map(({ result }) => result)).toEqual(['pinned']);
  });

  test('says at debug where nothing is done, and when it is looked at again', async () => {
    model.migrate('b');
    await model.call('disable-dual-chassis', request);
    expect(linesOf('debug')).toEqual([
      expect.objectContaining({
        ...COMMON,
        function: 'disable-dual-chassis',
        port: 'vm0.prod',
        rule: '3b',
        result: 'nothing',
      }),
    ]);
    await model.call('enable-dual-chassis', request);
    expect(linesOf('debug').filter(({ result }) => result === 'again')).toEqual([
      expect.objectContaining({ ...COMMON, message: expect.stringMatching(/^the migration may have ended.*in 0 ms$/) }),
    ]);
  });

  test('says by which rule, and of which migration, a call is to come again', async () => {
    const { pod } = model.migrate(undefined, true);
    model.plug(pod, 'b');
    await expect(model.call('reuse-port', request)).rejects.toThrow('not yet bound');
    expect(linesOf('warn')).toEqual([
      {
        level: 'warn',
        ...COMMON,
        function: 'reuse-port',
        rule: '3b',
        result: 'retry',
        message: 'the ports of the VMI are not yet bound for migration kubevirt-migrate-vm0-3',
      },
    ]);
  });

  test('says of a call that failed before it saw anything which VM and event it was about', async () => {
    model.beforeExchange = () => {
      throw new Error('away');
    };
    await expect(model.call('reuse-port', request)).rejects.toThrow('away');
    const { vmim: _vmim, ...common } = COMMON;
    expect(linesOf('warn')).toEqual([
      { level: 'warn', ...common, function: 'reuse-port', result: 'retry', message: expect.stringContaining('away') },
    ]);
  });

  test('tells a fault of ours from one that will pass, with where it was', async () => {
    const world = { ...model.world, southbound: undefined } as unknown as Model['world'];
    await expect(model.call('reuse-port', request, world)).rejects.toThrow(TypeError);
    expect(linesOf('error')).toEqual([
      expect.objectContaining({
        vmi: 'prod/vm0',
        result: 'error',
        message: expect.stringMatching(/TypeError.*\n +at /),
      }),
    ]);
  });

  test('has no event and no trace of what a sweep looks at', async () => {
    model.migrate();
    await model.call('reconcile', { vmi: REFERENCE });
    expect(linesOf('info')[0]).not.toHaveProperty('event');
    expect(linesOf('info')[0]).not.toHaveProperty('traceparent');
  });

  test('names the VMIM that the ports tell of where none runs, and none that is gone', async () => {
    const migration = model.migrate('b');
    await model.call('enable-dual-chassis');
    model.setPhase(migration.uid, 'Failed');
    await model.call('disable-dual-chassis', request);
    expect(linesOf('info').at(-1)).toMatchObject({ vmim: COMMON.vmim, rule: '4', result: 'pinned' });
    model.api.deleteVmim(model.vm, migration.uid);
    model.api.deletePod(model.vm, migration.pod);
    await model.call('release-port', request);
    expect(linesOf('info').at(-1)).toMatchObject({ vmim: undefined, rule: '2b', result: 'unbound' });
  });
});
