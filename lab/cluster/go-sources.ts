import { fileURLToPath } from 'node:url';
import { run } from '../testbed/command.ts';

const PINS = fileURLToPath(new URL('go/', import.meta.url));

/**
 * Folder with the source of a Go package, in the version that one of `go/*` pins. Go fetches it if it is not there.
 * @param pins name of the folder in `go/`
 */
export async function goSources(pins: string, name: string): Promise<string> {
  // Where Go's own packages install it, which not every PATH has.
  const env = { PATH: `${process.env.PATH}:/usr/local/go/bin`, GOFLAGS: '-mod=readonly' };
  return run('go', ['-C', PINS + pins, 'list', '-f', '{{.Dir}}', name], env);
}
