import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { TlsFiles } from '../../src/index.ts';
import type { TemporaryDirectory } from './server.ts';

/** A certificate authority of one's own, made with the openssl command. */
export class Authority {
  readonly certificate: string;
  readonly #key: string;
  readonly #directory: TemporaryDirectory;

  constructor(directory: TemporaryDirectory, name = 'authority') {
    this.#directory = directory;
    this.#key = join(directory.path, `${name}.key`);
    this.certificate = join(directory.path, `${name}.pem`);
    openssl('req', '-x509', ...newKey(this.#key), '-days', '2', '-subj', `/CN=${name}`, '-out', this.certificate);
  }

  /** A key and a certificate for it; a second call with the same name replaces the files. */
  issue(name: string, days = 2): TlsFiles {
    const [key, cert, request] = ['key', 'pem', 'csr'].map((kind) => join(this.#directory.path, `${name}.${kind}`));
    openssl('req', ...newKey(key!), '-subj', `/CN=${name}`, '-out', request!);
    const signer = ['-CA', this.certificate, '-CAkey', this.#key, '-CAcreateserial', '-days', `${days}`];
    openssl('x509', '-req', '-in', request!, ...signer, '-out', cert!);
    return { key: key!, cert: cert!, ca: this.certificate };
  }
}

function newKey(file: string): string[] {
  return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', file];
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}
