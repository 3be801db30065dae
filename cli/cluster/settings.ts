import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Settings, settingsFrom } from '../../functions/settings.ts';
import { CommandError, EXIT } from '../errors.ts';
import type { ClusterApi, KubernetesObject } from './api.ts';
import { CERTIFICATE_KEYS, CERTIFICATES, NAMESPACE, SETTINGS } from './installation.ts';
import { KINDS } from './kinds.ts';

export type Data = Readonly<Record<string, string>>;

/** What the installation in the cluster was told: a ConfigMap and a Secret. */
export interface Installed {
  /** `undefined`: there is none. */
  readonly settings: Data | undefined;
  /** In base64, as the API has it; `undefined`: there is none. */
  readonly certificates: Data | undefined;
}

type WithData = KubernetesObject & { readonly data?: Data };

export async function readInstalled(api: ClusterApi): Promise<Installed> {
  const settings = await api.get<WithData>(KINDS.configMaps, SETTINGS, NAMESPACE);
  const secret = await api.get<WithData>(KINDS.secrets, CERTIFICATES, NAMESPACE);
  return { settings: settings && (settings.data ?? {}), certificates: secret && (secret.data ?? {}) };
}

/**
 * The settings of a function of the installation.
 * @param folder where its certificates are, each in a file named after its key
 * @throws SettingsError with one line that names every variable that is wrong
 */
export function functionSettings(settings: Data, folder: string): Settings {
  const files = Object.entries(CERTIFICATE_KEYS).map(([key, variable]) => [variable, join(folder, key)]);
  return settingsFrom({ FUNC_STEP: 'reconcile', ...settings, ...Object.fromEntries(files) });
}

/** The certificates as files that only this user can read, until they are disposed of. */
export class CertificateFiles implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async write(certificates: Data): Promise<CertificateFiles> {
    const folder = await mkdtemp(join(tmpdir(), 'ovn-handover-tls-'));
    for (const key of Object.keys(CERTIFICATE_KEYS)) {
      const content = Buffer.from(certificates[key] ?? '', 'base64');
      await writeFile(join(folder, key), content, { mode: 0o600 });
    }
    return new CertificateFiles(folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

export function notInstalled(): CommandError {
  return new CommandError(
    EXIT.usage,
    `there is no ConfigMap ${NAMESPACE}/${SETTINGS}, so ovn-handover is not installed in this cluster: npm run deploy (docs/guide.md)`,
  );
}
