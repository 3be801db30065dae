import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Northbound } from '../support/northbound.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const examples = [...readFileSync(`${root}README.md`, 'utf8').matchAll(/```ts\n(.*?)```\s+```text\n(.*?)```/gs)];
const README_REMOTE = 'tcp:127.0.0.1:6641';

let northbound: Northbound;
beforeAll(async () => {
  northbound = await Northbound.start();
});
afterAll(async () => {
  await northbound[Symbol.asyncDispose]();
});

it('has examples', () => {
  expect(examples.length).toBeGreaterThanOrEqual(6);
});

it.each(examples.map(([, program, output], number) => ({ number: number + 1, program, output })))(
  'example $number prints what it says',
  ({ program, output }) => {
    expect(program).toMatch(/tcp:127.0.0.1:6641|TestServer/);
    const text = program!.replace(README_REMOTE, northbound.remote);
    const args = [
      '--conditions=ovn-handover-source',
      '--no-warnings',
      '--input-type=module-typescript',
      '--eval',
      text,
    ];
    expect(execFileSync('node', args, { cwd: root, encoding: 'utf8', timeout: 20_000 })).toBe(output);
  },
);
