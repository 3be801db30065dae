import { fileURLToPath } from 'node:url';
import { run } from '../testbed/command.ts';

const PINS = fileURLToPath(new URL('go/', import.meta.url));

/**
 * Folder with the source of a Go package, in the version that one of `go/*` pins. Go fetches it if it is not there.
 * @param pins name of the folder in `go/`
 */
export async function goSources(pins: string, name: string): Promise<string> {
  return go(pins, 'list', '-f', '{{.Dir}}', name);
}

/** Folder with all that a Go module has, also what is no Go; else like {@link goSources}. */
export async function goModule(pins: string, name: string): Promise<string> {
  const { Dir } = JSON.parse(await go(pins, 'mod', 'download', '-json', name)) as { Dir: string };
  return Dir;
}

async function go(pins: string, ...args: readonly string[]): Promise<string> {
  // Where Go's own packages install it, which not every PATH has.
  const env = { PATH: `${process.env.PATH}:/usr/local/go/bin`, GOFLAGS: '-mod=readonly' };
  return run('go', ['-C', PINS + pins, ...args], env);
}
