import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';

const root = fileURLToPath(new URL('../', import.meta.url));
const examples = [...readFileSync(`${root}README.md`, 'utf8').matchAll(/```ts\n(.*?)```(?:\s+```text\n(.*?)```)?/gs)];

function run(program: string): string {
  const args = [
    '--conditions=ovn-handover-source',
    '--no-warnings',
    '--input-type=module-typescript',
    '--eval',
    program,
  ];
  return execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8', timeout: 20_000 });
}

it.each(examples.map(([, program, output], number) => ({ number: number + 1, program, output })))(
  'example $number of the README runs, and prints what it says',
  ({ program, output = '' }) => {
    expect(run(program!)).toBe(output);
  },
);

it('the first example answers an event with one of its own', () => {
  const [, program] = examples[0]!;
  const event = {
    specversion: '1.0',
    id: '1',
    source: '/s',
    type: 'dev.knative.apiserver.resource.add',
    data: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-01' } },
  };
  const output = run(`${program}\nconsole.log(JSON.stringify(handle(undefined, ${JSON.stringify(event)})))`);
  expect(JSON.parse(output)).toMatchObject({
    statusCode: 200,
    headers: { 'ce-type': 'com.example.seen' },
    body: '{"name":"web-01"}',
  });
});
