import { createPrivateKey, X509Certificate } from 'node:crypto';
import { SettingsError } from '../../../handover/decision/errors.ts';
import { CERTIFICATE_KEYS, CERTIFICATES, NAMESPACE, SETTINGS } from '../../cluster/installation.ts';
import { type Data, functionSettings } from '../../cluster/settings.ts';
import { check, type Finding } from '../finding.ts';

const LINK = 'docs/guide.md#prepare-ovn';
const EXPIRES_SOON_MS = 30 * 24 * 3_600_000;

export const settings = check(
  'the settings are such that a function starts',
  ['settings'],
  ({ settings }) => {
    const finding = { level: 'red', why: 'no function starts', link: 'docs/guide.md#deploy' } as const;
    if (settings === undefined) {
      const what = `there is no ConfigMap ${NAMESPACE}/${SETTINGS}`;
      return [{ ...finding, id: 'settings-missing', what, mend: 'npm run deploy -- --image IMAGE --overlay OVERLAY' }];
    }
    try {
      functionSettings(settings, '/etc/ovn-client-tls');
      return [];
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      const what = `ConfigMap ${NAMESPACE}/${SETTINGS}: ${error.message.replace('settings: ', '')}`;
      const mend = `kubectl -n ${NAMESPACE} edit configmap ${SETTINGS}; then npm run deploy with the same values in your overlay`;
      return [{ ...finding, id: 'settings-invalid', what, mend }];
    }
  },
  'settings',
  'installed',
);

export const certificates = check(
  'the certificates for OVN are whole and in force',
  ['settings', 'certificates', 'now'],
  ({ settings, certificates, now }) => {
    const secret = `Secret ${NAMESPACE}/${CERTIFICATES}`;
    const finding = { level: 'red', link: LINK, mend: copyCommand() } as const;
    if (certificates === undefined) {
      const why = 'the functions mount it, and their pods wait for it for ever';
      return [{ ...finding, id: 'certificates-missing', what: `there is no ${secret}`, why }];
    }
    if (!`${settings?.OVN_NB_REMOTE},${settings?.OVN_SB_REMOTE}`.includes('ssl:')) return [];
    const missing = Object.keys(CERTIFICATE_KEYS).filter((key) => !certificates[key]);
    if (missing.length > 0) {
      const what = `${secret} has no ${missing.join(', no ')}`;
      return [
        {
          ...finding,
          id: 'certificate-key-missing',
          what,
          why: 'a remote is ssl:, and no function reaches OVN without it',
        },
      ];
    }
    return pairFindings(certificates, now).map((each) => ({ ...finding, ...each, what: `${secret}: ${each.what}` }));
  },
  'settings',
);

type Part = Pick<Finding, 'id' | 'what' | 'why'> & { readonly level?: Finding['level'] };

function pairFindings(certificates: Data, now: number): readonly Part[] {
  try {
    const certificate = new X509Certificate(decode(certificates.cert));
    const until = Date.parse(certificate.validTo);
    const found: Part[] = [];
    if (!certificate.checkPrivateKey(createPrivateKey(decode(certificates.key)))) {
      found.push({ id: 'certificate-key-differs', what: 'key is not that of cert', why: 'OVN takes no connection' });
    }
    if (until < now) {
      found.push({
        id: 'certificate-expired',
        what: `cert was valid until ${certificate.validTo}`,
        why: 'OVN takes no connection',
      });
    } else if (until - now < EXPIRES_SOON_MS) {
      const why = 'after that no function reaches OVN, and targets wait at their gates';
      found.push({
        id: 'certificate-expires',
        level: 'yellow',
        what: `cert is valid until ${certificate.validTo}`,
        why,
      });
    }
    return found;
  } catch (error) {
    const why = 'no function reaches OVN with it';
    return [{ id: 'certificate-unreadable', what: `cert or key is no PEM: ${(error as Error).message}`, why }];
  }
}

function decode(base64: string | undefined): Buffer {
  return Buffer.from(base64 ?? '', 'base64');
}

function copyCommand(): string {
  return `kubectl -n ${NAMESPACE} create secret generic ${CERTIFICATES} --from-file=cert=CERT.pem --from-file=key=KEY.pem --from-file=cacert=CA.pem --dry-run=client -o yaml | kubectl apply -f -`;
}
