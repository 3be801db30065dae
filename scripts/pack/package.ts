import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const PACKAGES = ['knative-eventing-ts-sdk', 'ovsdb-client-ts'].map((name) =>
  fileURLToPath(new URL(`../../packages/${name}`, import.meta.url)),
);

/** Builds a package and packs what would be published; returns the path of the tarball. */
export function pack(directory: string, destination: string): string {
  const output = run('npm', ['pack', '--json', '--silent', '--pack-destination', destination], directory);
  // The build, which npm runs before, may print too.
  const [{ filename }] = JSON.parse(output.slice(output.lastIndexOf('\n[') + 1));
  return join(destination, filename);
}

/** The command's output; what it printed on the way is in the error where it fails. */
export function run(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): string {
  try {
    return execFileSync(command, args, {
      cwd,
      env: { ...process.env, ...env },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(' ')} failed in ${cwd}:\n${stdout}${stderr}`);
  }
}

export function manifestOf(directory: string): { readonly name: string; readonly engines: { readonly node: string } } {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
}
