import { generate } from 'selfsigned';

export interface Certificate {
  /** PEM. It is its own authority. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

/** A certificate for 127.0.0.1: kubectl and client-go send a bearer token over TLS only. */
export async function selfSignedCertificate(): Promise<Certificate> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'kubernetes-api' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', digitalSignature: true, keyCertSign: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
    ],
  });
  return { cert, key };
}
