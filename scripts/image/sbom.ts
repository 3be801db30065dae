/**
 * What the functions are made of as SPDX 2.3 in JSON, by package-lock.json alone. (`npm sbom --omit dev` leaves out whatever
 * a package for development needs too.)
 */
import { createHash } from 'node:crypto';

export interface LockFile {
  readonly name: string;
  readonly version: string;
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

interface LockedPackage {
  readonly name?: string;
  readonly version?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly link?: boolean;
}

const PROJECT = 'https://github.com/ovn-handover/ovn-handover';
const ROOT = 'SPDXRef-ovn-handover';

/** @param made when the image was made; the same time and lock file make the same document */
export function spdxOf(lock: LockFile, made: Date) {
  const text = JSON.stringify(lock);
  const packages = Object.entries(lock.packages)
    .filter(([path, { dev, devOptional, link }]) => path !== '' && !dev && !devOptional && !link)
    .map(([path, locked]) => packageOf(path, locked));
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: `${lock.name}-${lock.version}`,
    documentNamespace: `${PROJECT}/spdx/${lock.version}-${createHash('sha256').update(text).digest('hex')}`,
    creationInfo: { created: made.toISOString().replace(/\.\d+Z$/, 'Z'), creators: ['Tool: ovn-handover-build'] },
    documentDescribes: [ROOT],
    packages: [
      {
        ...described(ROOT, lock.name, lock.version, lock.packages['']?.license),
        primaryPackagePurpose: 'CONTAINER',
      },
      ...packages,
    ],
    relationships: [
      { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: ROOT },
      ...packages.map(({ SPDXID }) => ({
        spdxElementId: ROOT,
        relationshipType: 'CONTAINS',
        relatedSpdxElement: SPDXID,
      })),
    ],
  };
}

/** @param path in the lock file: `node_modules/…`, one in another for a second version, or the folder of a workspace */
function packageOf(path: string, { name, version = '', integrity, license }: LockedPackage) {
  const called =
    name ??
    path
      .split('node_modules/')
      .at(-1)!
      .replace(/^packages\//, '');
  // Letters, digits, dots and dashes (SPDX 2.3, section 7.2).
  const id = `SPDXRef-${path.replaceAll(/[^A-Za-z0-9.-]+/g, '-')}`;
  return {
    ...described(id, called, version, license),
    ...(integrity !== undefined && { checksums: [checksumOf(integrity)] }),
    externalRefs: [
      {
        referenceCategory: 'PACKAGE-MANAGER',
        referenceType: 'purl',
        // A scope is percent-encoded (purl-spec, npm).
        referenceLocator: `pkg:npm/${called.replace('@', '%40')}@${version}`,
      },
    ],
  };
}

function described(SPDXID: string, name: string, versionInfo: string, license = 'NOASSERTION') {
  return {
    ...{ name, SPDXID, versionInfo, downloadLocation: 'NOASSERTION', filesAnalyzed: false },
    ...{ licenseConcluded: 'NOASSERTION', licenseDeclared: license, copyrightText: 'NOASSERTION' },
  };
}

/** Subresource Integrity, as npm has it, is base64; SPDX has hexadecimal digits. */
function checksumOf(integrity: string) {
  const [algorithm = '', base64 = ''] = integrity.split('-', 2);
  return { algorithm: algorithm.toUpperCase(), checksumValue: Buffer.from(base64, 'base64').toString('hex') };
}
