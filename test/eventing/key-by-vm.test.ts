import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import jsonata from 'jsonata';
import { parse } from 'yaml';
import { changeEvent } from '../../lab/knative/change-event.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const FIXTURES = 'testkit/fixtures/kubevirt';
const { spec } = parse(read('eventing/components/kafka/key-by-vm.yaml'));
const expression = jsonata(spec.jsonata.expression);
/** Those that the source's selector lets pass. */
const files = readdirSync(new URL(`../../${FIXTURES}`, import.meta.url)).filter(
  (file) => file.endsWith('.json') && !file.includes('EXCLUDE'),
);

/** What EventTransform makes of the event of a change: JSONata on the event in structured JSON. */
function keyed(...change: [Parameters<typeof changeEvent>[2], { readonly pods?: string }?]) {
  const event = JSON.parse(JSON.stringify(changeEvent('https://10.0.0.1:443', 'update', ...change)));
  return { event, transformed: expression.evaluate(event) as Promise<Record<string, unknown>> };
}

test.each(files)('the event of %s has its VM for a key, and is otherwise the same', async (file) => {
  const { event, transformed } = keyed(JSON.parse(read(`${FIXTURES}/${file}`)));
  const { partitionkey, ...rest } = await transformed;
  expect(rest).toEqual(event);
  expect(partitionkey).toBe(`${event.namespace}/web-01`);
});

test('the event of any launcher pod has its VM for a key as well, and keeps the mark of its source', async () => {
  const pod = JSON.parse(read(`${FIXTURES}/pod-source-running.json`));
  expect(await keyed(pod, { pods: 'all' }).transformed).toMatchObject({ partitionkey: 'prod/web-01', pods: 'all' });
});

test('a pod without a controller is keyed by its namespace alone', async () => {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'stray', namespace: 'prod' } };
  expect((await keyed(pod as never).transformed).partitionkey).toBe('prod/');
});
