import { describe, expect, test } from '@jest/globals';
import { hintAnnotation, portHintOf, sameHint } from '../../../handover/decision/hint.ts';
import { pod } from '../../../testkit/moments.ts';

const uuids = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'];
const carrying = (text: string) =>
  pod('target-02-scheduled', { metadata: { annotations: { 'ovn-handover.dev/ports': text } } });

const many = (count: number) =>
  Array.from({ length: count }, (_, index) => `11111111-1111-4111-8111-${String(index).padStart(12, '0')}`);

describe('the hint on a target pod', () => {
  test('comes back as it was left', () => {
    const hint = { ports: uuids, bindings: [uuids[1]!] };
    expect(portHintOf(pod('target-02-scheduled', { metadata: { annotations: hintAnnotation(hint) } }))).toEqual(hint);
  });

  test.each([
    ['is empty', ''],
    ['is no JSON', '{"ports":['],
    ['is null', 'null'],
    ['is a number', '7'],
    ['is a list', '[]'],
    ['has no ports', '{}'],
    ['has no bindings', JSON.stringify({ ports: uuids })],
    ['names no port', JSON.stringify({ ports: [], bindings: uuids })],
    ['has a text for a list', JSON.stringify({ ports: uuids[0], bindings: [] })],
    ['has an object for a list', JSON.stringify({ ports: { length: 1, 0: uuids[0] }, bindings: [] })],
    ['has numbers for uuids', JSON.stringify({ ports: [1], bindings: [] })],
    ['has nested lists', JSON.stringify({ ports: [uuids], bindings: [] })],
    ['has an uuid with more before it', JSON.stringify({ ports: [`x${uuids[0]}`], bindings: [] })],
    ['has a list of an uuid for an uuid', JSON.stringify({ ports: [[uuids[0]]], bindings: [] })],
    ['lists 65 ports', JSON.stringify({ ports: many(65), bindings: [] })],
    ['has an uuid with more behind it', JSON.stringify({ ports: [`${uuids[0]}\n`], bindings: [] })],
    ['has a name for an uuid', JSON.stringify({ ports: ['web-01.prod'], bindings: [] })],
    ['lists more ports than any VM has', JSON.stringify({ ports: Array(65).fill(uuids[0]), bindings: [] })],
    ['lists one port twice, in place of another', JSON.stringify({ ports: [uuids[0], uuids[0]], bindings: [] })],
    ['lists one binding twice', JSON.stringify({ ports: uuids, bindings: [uuids[0], uuids[0]] })],
    ['is a megabyte of brackets', '['.repeat(1_000_000)],
  ])('is none if it %s', (_how, text) => {
    expect(portHintOf(carrying(text))).toBeUndefined();
  });

  test('may name 64 ports, and no bindings yet', () => {
    const hint = { ports: many(64), bindings: [] };
    expect(portHintOf(carrying(JSON.stringify(hint)))).toEqual(hint);
  });

  test('is the same as another of the same ports and bindings, and as no other', () => {
    const hint = { ports: uuids, bindings: [] };
    expect(sameHint(hint, { ports: [...uuids], bindings: [] })).toBe(true);
    expect(sameHint(hint, { ports: uuids.slice(1), bindings: [] })).toBe(false);
    expect(sameHint(hint, { ports: uuids, bindings: uuids })).toBe(false);
    expect(sameHint(hint, undefined)).toBe(false);
  });

  test('is none on a pod without annotations', () => {
    expect(portHintOf(pod('target-02-scheduled', { metadata: { annotations: undefined } }))).toBeUndefined();
  });
});
