import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { stringify } from 'yaml';
import { API_ADDRESS, API_PORT, API_SERVICE_ADDRESS } from '../addresses.ts';
import type { ClusterNode } from '../description.ts';

/** PEM. */
interface Pair {
  readonly cert: string;
  readonly key: string;
}

interface Subject {
  readonly name: string;
  /** Kubernetes takes the organization for a group (authentication, X509 client certificates). */
  readonly group?: string;
  readonly names?: readonly string[];
  readonly addresses?: readonly string[];
}

const EC = { keyType: 'ec', algorithm: 'sha256' } as const;

/** Writes all keys, certificates and kubeconfigs of a new cluster; `NAME.crt`, `NAME.key`, `NAME.kubeconfig`. */
export async function writePki(folder: string, nodes: readonly ClusterNode[]): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const [authority, frontProxies] = [await newAuthority('kubernetes'), await newAuthority('front-proxy-ca')];
  const write = async (name: string, { cert, key }: Pair) => {
    await writeFile(join(folder, `${name}.crt`), cert);
    await writeFile(join(folder, `${name}.key`), key, { mode: 0o600 });
  };
  await write('ca', authority);
  await write('front-proxy-ca', frontProxies);
  await write('front-proxy', await signedBy(frontProxies, { name: 'front-proxy' }));
  await write('apiserver', await signedBy(authority, API_SERVER));
  await write('apiserver-kubelet', await signedBy(authority, { name: 'apiserver-kubelet', group: 'system:masters' }));
  await writeServiceAccountKeys(folder);
  for (const node of nodes) {
    const own = await signedBy(authority, {
      name: `system:node:${node.name}`,
      group: 'system:nodes',
      names: [node.name],
      addresses: [node.address],
    });
    await write(node.name, own);
    await writeKubeconfig(join(folder, `${node.name}.kubeconfig`), authority, own);
  }
  for (const [file, subject] of Object.entries(USERS)) {
    await writeKubeconfig(join(folder, `${file}.kubeconfig`), authority, await signedBy(authority, subject));
  }
}

const API_SERVER: Subject = {
  name: 'kube-apiserver',
  names: ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local'],
  addresses: [API_ADDRESS, API_SERVICE_ADDRESS, '127.0.0.1'],
};

const USERS: Readonly<Record<string, Subject>> = {
  admin: { name: 'admin', group: 'system:masters' },
  'kube-controller-manager': { name: 'system:kube-controller-manager' },
  'kube-scheduler': { name: 'system:kube-scheduler' },
  'kube-proxy': { name: 'system:kube-proxy' },
};

async function newAuthority(name: string): Promise<Pair> {
  return pairOf(
    await generate([{ name: 'commonName', value: name }], {
      ...EC,
      extensions: [
        { name: 'basicConstraints', cA: true, critical: true },
        { name: 'keyUsage', digitalSignature: true, keyCertSign: true, cRLSign: true, critical: true },
      ],
    }),
  );
}

async function signedBy(ca: Pair, { name, group, names = [], addresses = [] }: Subject): Promise<Pair> {
  const attributes = [
    ...(group === undefined ? [] : [{ name: 'organizationName', value: group }]),
    { name: 'commonName', value: name },
  ];
  const altNames = [
    ...names.map((value) => ({ type: 2 as const, value })),
    ...addresses.map((ip) => ({ type: 7 as const, ip })),
  ];
  return pairOf(
    await generate(attributes, {
      ...EC,
      ca,
      extensions: [
        { name: 'basicConstraints', cA: false, critical: true },
        { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
        { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
        ...(altNames.length > 0 ? [{ name: 'subjectAltName' as const, altNames }] : []),
      ],
    }),
  );
}

function pairOf({ cert, private: key }: { cert: string; private: string }): Pair {
  return { cert, key };
}

async function writeServiceAccountKeys(folder: string): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  await writeFile(join(folder, 'service-accounts.key'), privateKey, { mode: 0o600 });
  await writeFile(join(folder, 'service-accounts.pub'), publicKey);
}

async function writeKubeconfig(file: string, authority: Pair, { cert, key }: Pair): Promise<void> {
  const name = 'ovn-handover-cluster';
  const base64 = (pem: string) => Buffer.from(pem).toString('base64');
  const cluster = {
    server: `https://${API_ADDRESS}:${API_PORT}`,
    'certificate-authority-data': base64(authority.cert),
  };
  const user = { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) };
  const text = stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  });
  await writeFile(file, text, { mode: 0o600 });
}
