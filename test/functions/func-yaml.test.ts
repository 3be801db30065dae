import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');
const STEPS = ['enable-dual-chassis', 'disable-dual-chassis', 'release-port', 'reconcile'];

describe('func.yaml', () => {
  it.each(STEPS)('of %s is that of reuse-port but for its name', async (step) => {
    const expected = (await read('functions/reuse-port/func.yaml')).replaceAll('reuse-port', step);
    expect(await read(`functions/${step}/func.yaml`)).toBe(expected);
  });

  it('of every function deploys the image that the one at the root builds', async () => {
    const root = parse(await read('func.yaml'));
    const { specVersion, runtime, image, invoke } = parse(await read('functions/reuse-port/func.yaml'));
    expect({ specVersion, runtime, image, invoke }).toEqual({
      specVersion: root.specVersion,
      runtime: root.runtime,
      image: root.image,
      invoke: root.invoke,
    });
  });
});
