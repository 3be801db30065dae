import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from '@jest/globals';

interface Package {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly resolved?: string;
}

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, Package> };
const locked = Object.entries(packages);

/** Where Node.js looks: beside the package, then beside each that it is in. */
function isLocked(name: string, from: string): boolean {
  if (`${from === '' ? '' : `${from}/`}node_modules/${name}` in packages) return true;
  return from !== '' && isLocked(name, dirname(from) === '.' ? '' : dirname(from));
}

test('the lock file has the optional packages of every platform, without which npm ci installs on one alone', () => {
  const wanted = locked.flatMap(([from, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).map((name) => ({ from, name })),
  );
  expect(wanted.length).toBeGreaterThan(30);
  expect(wanted.filter(({ from, name }) => !isLocked(name, from))).toEqual([]);
});

test('the lock file names no registry, so that each machine takes its own', () => {
  const hosts = locked.filter(([, { resolved }]) => resolved?.includes('://'));
  expect(hosts).toEqual([]);
});

test('no dependency of ours needs a script of its own to be installed, which npm 12 does not run', () => {
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
  const ours = Object.keys({ ...dependencies, ...optionalDependencies });
  const scripted = locked.filter(([, one]) => 'hasInstallScript' in one).map(([path]) => path);
  expect(scripted).toContain('node_modules/esbuild');
  expect(ours.filter((name) => scripted.includes(`node_modules/${name}`))).toEqual([]);
});
