import { describe, expect, test } from '@jest/globals';
import { settingsFrom } from '../../functions/settings.ts';
import { SettingsError } from '../../handover/decision/errors.ts';

const GOOD = {
  FUNC_STEP: 'reuse-port',
  OVN_NB_REMOTE: 'tcp:10.0.0.1:6641',
  OVN_SB_REMOTE: 'unix:/run/ovn/ovnsb_db.sock',
};

/** The line that a bad environment ends the process with. */
function line(environment: Record<string, string | undefined>): string {
  try {
    settingsFrom(environment);
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
    throw error;
  }
  throw new Error('the settings were taken');
}

describe('settings', () => {
  test('have their defaults', () => {
    expect(settingsFrom(GOOD)).toMatchObject({
      OVN_PROFILE: 'kube-ovn',
      OVN_PORT_NAME: '{vmi}.{namespace}',
      OVN_ACTIVATION_STRATEGY: 'rarp',
      LOG_LEVEL: 'info',
    });
  });

  test('take an empty variable for one that is not set', () => {
    expect(settingsFrom({ ...GOOD, OVN_PROFILE: '', LOG_LEVEL: '' })).toMatchObject({ OVN_PROFILE: 'kube-ovn' });
    expect(line({ ...GOOD, OVN_NB_REMOTE: '' })).toContain('OVN_NB_REMOTE');
  });

  test('do not mind the rest of the environment', () => {
    expect(settingsFrom({ ...GOOD, PATH: '/bin', HOME: '/root' })).toMatchObject(GOOD);
  });

  test.each([
    [{}, '8080'],
    [{ PORT: '8081' }, '8081'],
    [{ PORT: '8081', FUNC_PORT: '8082' }, '8082'],
    [{ PORT: '', FUNC_PORT: '' }, '8080'],
  ])('have of %j the port %s', (ports, port) => {
    expect(settingsFrom({ ...GOOD, ...ports }).FUNC_PORT).toBe(port);
  });

  test('want the files for TLS where a remote is ssl:, and only there', () => {
    const tls = { OVN_CERT: '/tls/crt', OVN_KEY: '/tls/key', OVN_CA: '/tls/ca' };
    expect(settingsFrom({ ...GOOD, OVN_SB_REMOTE: 'ssl:10.0.0.1:6642', ...tls })).toMatchObject(tls);
    expect(line({ ...GOOD, OVN_SB_REMOTE: 'ssl:10.0.0.1:6642', ...tls, OVN_KEY: undefined })).toContain('OVN_KEY');
    expect(settingsFrom(GOOD).OVN_CERT).toBeUndefined();
  });

  test.each(['reuse-port', 'enable-dual-chassis', 'disable-dual-chassis', 'release-port', 'reconcile'])(
    'know the step %s',
    (step) => {
      expect(settingsFrom({ ...GOOD, FUNC_STEP: step }).FUNC_STEP).toBe(step);
    },
  );

  test.each([
    'tcp:10.0.0.1:6641,tcp:10.0.0.2:6641,tcp:10.0.0.3:6641',
    'tcp:[fd00::1]:6641',
    'tcp:ovn-nb.kube-system.svc:6641',
    'unix:/run/ovn/ovnnb_db.sock',
  ])('take the remote %s', (remote) => {
    expect(settingsFrom({ ...GOOD, OVN_NB_REMOTE: remote }).OVN_NB_REMOTE).toBe(remote);
  });

  test.each([
    ['FUNC_STEP', undefined],
    ['FUNC_STEP', 'migrate'],
    ['FUNC_STEP', 'constructor'],
    ['OVN_NB_REMOTE', undefined],
    ['OVN_SB_REMOTE', undefined],
    ['OVN_NB_REMOTE', '10.0.0.1:6641'],
    ['OVN_NB_REMOTE', 'http://10.0.0.1:6641'],
    ['FUNC_PORT', 'http'],
    ['OVN_NB_REMOTE', 'tcp:10.0.0.1'],
    ['OVN_NB_REMOTE', 'tcp:10.0.0.1:north'],
    ['OVN_NB_REMOTE', 'tcp:10.0.0.1:6641,'],
    ['OVN_NB_REMOTE', ',tcp:10.0.0.1:6641'],
    ['OVN_SB_REMOTE', 'unix:'],
    ['OVN_SB_REMOTE', 'ptcp:6642'],
    ['OVN_PROFILE', 'openstack'],
    ['OVN_PORT_NAME', 'web-01'],
    ['OVN_ACTIVATION_STRATEGY', 'arp'],
    ['OVN_ACTIVATION_STRATEGY', 'rarp, garp'],
    ['LOG_LEVEL', 'loud'],
  ])('name %s when it is %s, in one line', (name, value) => {
    const said = line({ ...GOOD, [name]: value });
    expect(said).toMatch(/^settings: [^\n]+$/);
    expect(said).toContain(name);
  });

  test('say it word for word', () => {
    expect(line({ ...GOOD, OVN_PROFILE: 'openstack', OVN_SB_REMOTE: undefined })).toBe(
      "settings: environment must have required property 'OVN_SB_REMOTE'; " +
        'OVN_PROFILE must be equal to one of the allowed values: kube-ovn, generic',
    );
  });

  test('say what is allowed', () => {
    expect(line({ ...GOOD, FUNC_STEP: 'x' })).toContain('reuse-port, enable-dual-chassis, disable-dual-chassis');
  });

  test('name all that is wrong at once', () => {
    const said = line({ OVN_SB_REMOTE: 'x', LOG_LEVEL: 'y' });
    for (const name of ['FUNC_STEP', 'OVN_NB_REMOTE', 'OVN_SB_REMOTE', 'LOG_LEVEL']) expect(said).toContain(name);
  });
});
