import { SettingsError } from '../handover/decision/errors.ts';
import type { Environment } from '../schemas/generated/settings.js';
import validate from '../schemas/generated/settings.js';

type TlsFile = 'OVN_CERT' | 'OVN_KEY' | 'OVN_CA';

/** Everything has a value but the files for TLS, which are all there if a remote is `ssl:`. */
export type Settings = Required<Omit<Environment, TlsFile>> & Pick<Environment, TlsFile>;

/**
 * Reads the settings from environment variables, with their defaults (`schemas/settings.schema.json`).
 * @throws SettingsError with one line that names every variable that is wrong
 */
export function settingsFrom(environment: Readonly<Record<string, string | undefined>>): Settings {
  // An empty variable is what a ConfigMap leaves for "not set".
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  // Knative tells a container by PORT where it connects to, func by FUNC_PORT what somebody wants instead.
  const settings = { ...(given.PORT !== undefined && { FUNC_PORT: given.PORT }), ...given };
  if (validate(settings)) return settings as Settings;
  const problems = validate.errors!.map(({ instancePath, message, params }) => {
    const allowed = 'allowedValues' in params ? `: ${(params.allowedValues as string[]).join(', ')}` : '';
    return `${instancePath.slice(1) || 'environment'} ${message}${allowed}`;
  });
  throw new SettingsError(`settings: ${problems.join('; ')}`);
}
