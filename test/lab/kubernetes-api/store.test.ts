import fc from 'fast-check';
import type { KubernetesObject } from '../../../lab/kubernetes-api/object.ts';
import { resources } from '../../../lab/kubernetes-api/resources.ts';
import { labelSelector } from '../../../lab/kubernetes-api/selectors.ts';
import { Store } from '../../../lab/kubernetes-api/store.ts';
import { watchEvent } from '../../../lab/kubernetes-api/watch.ts';

const pods = resources.find(({ plural }) => plural === 'pods')!;

const pod = (name: string, labels: Record<string, string> = {}): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'prod', labels },
});

test('every write gets a higher resourceVersion than any before it', () => {
  const store = new Store(10);
  const one = store.put(pods, pod('one'));
  const two = store.put(pods, pod('two'));
  const gone = store.remove(pods, one);
  const versions = [one, two, gone].map(({ metadata }) => Number(metadata.resourceVersion));
  expect(versions).toEqual([...versions].sort((a, b) => a - b));
  expect(new Set(versions).size).toBe(3);
  expect(store.version).toBe(versions[2]);
});

test('writes after a version are told in order', () => {
  const store = new Store(10);
  const from = store.version;
  store.put(pods, pod('one'));
  store.put(pods, pod('one', { a: 'b' }));
  store.remove(pods, pod('one'));
  expect(store.since(from).map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'DELETED']);
  expect(store.since(store.version)).toEqual([]);
});

test('a version from before the kept writes is expired, one to come is too large', () => {
  const store = new Store(2);
  const from = store.version;
  for (const name of ['one', 'two', 'three']) store.put(pods, pod(name));
  expect(store.since(from + 1)).toHaveLength(2);
  expect(() => store.since(from)).toThrow(`too old resource version: ${from} (${from + 2})`);
  expect(() => store.since(store.version + 1)).toThrow('Too large resource version');
});

test('a watcher that applies its events holds exactly the objects that match', () => {
  const write = fc.record({
    name: fc.constantFrom('one', 'two', 'three'),
    label: fc.constantFrom('in', 'out'),
    remove: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(write, { maxLength: 40 }), fc.nat(40), (writes, start) => {
      const store = new Store(100);
      const matches = labelSelector('side=in');
      const seen = new Map<string, KubernetesObject>();
      for (const [index, { name, label, remove }] of writes.entries()) {
        if (index === start)
          for (const object of store.list(pods).filter(matches)) seen.set(object.metadata.name!, object);
        const from = store.version;
        const stored = store.get(pods, 'prod', name);
        if (remove && stored) store.remove(pods, stored);
        else if (!remove) store.put(pods, pod(name, { side: label }));
        if (index < start) continue;
        for (const event of store.since(from).map((change) => watchEvent(change, matches))) {
          if (!event) continue;
          const object = event.object as KubernetesObject;
          expect(seen.has(object.metadata.name!)).toBe(event.type !== 'ADDED');
          expect(object.metadata.resourceVersion).toBe(String(store.version));
          if (event.type === 'DELETED') seen.delete(object.metadata.name!);
          else seen.set(object.metadata.name!, object);
        }
      }
      if (start < writes.length) {
        const held = [...seen.values()].sort((a, b) => (a.metadata.name! < b.metadata.name! ? -1 : 1));
        expect(held).toEqual(store.list(pods).filter(matches));
      }
    }),
  );
});
