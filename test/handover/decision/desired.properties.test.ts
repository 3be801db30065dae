import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { desired, isPartOf, type Rule, type Step } from '../../../handover/decision/desired.ts';
import { factsOf } from '../../../handover/decision/facts.ts';
import { always, maybe, pod, record, vmi, vmim } from '../support/whatever.ts';

describe('whatever is seen', () => {
  test('a VM without the annotation and without our record is never touched', () => {
    always((facts, record) => {
      if (record === undefined && !facts.vmi?.optedIn) expect(desired(facts, record).binding).toBe('leave');
    });
  });

  test('the port is never dual after the switch', () => {
    always((facts, record) => {
      if (facts.migration?.switched) expect(desired(facts, record).binding).not.toBe('dual');
    });
  });

  test('the port is dual only to a living pod that this VMI controls and this VMIM made, on another node', () => {
    always((facts, record, { pods, vmi }) => {
      const wanted = desired(facts, record);
      if (wanted.binding !== 'dual') return;
      expect(wanted.source).toBe(vmi?.status?.nodeName);
      expect(wanted.target).not.toBe(wanted.source);
      const targets = pods.filter(
        ({ metadata, spec, status }) =>
          spec.nodeName === wanted.target &&
          metadata.ownerReferences?.[0]?.controller &&
          metadata.ownerReferences[0].uid === vmi?.metadata.uid &&
          metadata.labels?.['kubevirt.io/migrationJobUID'] === facts.migration?.uid &&
          !metadata.deletionTimestamp &&
          status?.phase !== 'Failed' &&
          status?.phase !== 'Succeeded',
      );
      expect(targets).not.toHaveLength(0);
    });
  });

  test('the record is always of this VMI, and of the migration that runs', () => {
    always((facts, record) => {
      const wanted = desired(facts, record);
      if (!('record' in wanted)) return;
      expect(wanted.record.vmi).toBe(facts.vmi?.uid);
      if (facts.migration) expect(wanted.record.migration).toBe(facts.migration.uid);
      expect(wanted.record.binding).toBe(wanted.binding);
    });
  });

  test('the port is only ever bound to a node where the guest runs, or will', () => {
    always((facts, record) => {
      const wanted = desired(facts, record);
      if (wanted.binding !== 'pinned') return;
      expect([facts.vmi?.node, facts.migration?.switched && facts.migration.target?.node]).toContain(wanted.node);
    });
  });

  test('nothing but the end of the VMI, or of all pods but the guest’s, releases a port', () => {
    always((facts, record) => {
      if (desired(facts, record).binding !== 'unbound') return;
      const isAtRest = facts.migration === undefined && facts.vmi?.isAlone;
      expect(facts.vmi === undefined || facts.vmi.final || facts.vmi.uid !== record?.vmi || isAtRest).toBe(true);
    });
  });

  test('each rule has one function and one binding', () => {
    const table: Partial<Record<Rule, string>> = {
      2: 'release-port unbound',
      '2b': 'release-port unbound',
      '3a': 'disable-dual-chassis pinned',
      '3b': 'enable-dual-chassis dual',
      '3d': 'reuse-port pinned',
      4: 'disable-dual-chassis pinned',
    };
    always((facts, record) => {
      const wanted = desired(facts, record);
      if (wanted.binding !== 'leave') expect(`${wanted.step} ${wanted.binding}`).toBe(table[wanted.rule]);
    });
  });

  test('a change is the part of one step during a migration, and of every step without one', () => {
    const steps: readonly Step[] = ['reuse-port', 'enable-dual-chassis', 'disable-dual-chassis', 'release-port'];
    always((facts, record) => {
      const wanted = desired(facts, record);
      if (wanted.binding === 'leave') return;
      const isDuring = facts.migration !== undefined && !facts.vmi?.final;
      expect(steps.filter((step) => isPartOf(step, wanted))).toEqual(isDuring ? [wanted.step] : steps);
    });
  });

  test('a port is never closed on its target once memory is copied', () => {
    always((facts, record) => {
      const wanted = desired(facts, record);
      if (wanted.binding === 'dual') expect(wanted.isArmed).toBe(!facts.migration?.copying);
    });
  });

  test('what is wanted, once made, stays wanted, or is released next: no two functions take turns for ever', () => {
    always((facts, record) => {
      const wanted = desired(facts, record);
      if (wanted.binding === 'leave') return;
      const made = wanted.binding === 'unbound' ? undefined : wanted.record;
      const next = desired(facts, made);
      if (made === undefined) expect(next.binding).toBe('leave');
      else if (wanted.rule !== '4' || next.rule !== '2b') expect(next).toEqual(wanted);
    });
  });

  test('the order in which the API server lists objects changes nothing', () => {
    fc.assert(
      fc.property(
        fc.record({
          vmi: maybe(vmi),
          migrations: fc.uniqueArray(vmim, { selector: ({ metadata }) => metadata.uid }),
          pods: fc.uniqueArray(pod, { selector: ({ metadata }) => metadata.name }),
        }),
        maybe(record),
        (seen, record) => {
          const reversed = { ...seen, migrations: seen.migrations.toReversed(), pods: seen.pods.toReversed() };
          expect(desired(factsOf(reversed), record)).toEqual(desired(factsOf(seen), record));
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
