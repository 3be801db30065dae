import { OvsdbClient } from 'ovsdb-client-ts';
import type { World } from '../handover/handover.ts';
import { Kubernetes } from '../handover/kubernetes.ts';
import { Northbound } from '../handover/northbound.ts';
import { profileOf } from '../handover/profile.ts';
import { type Settings, SettingsError } from '../handover/settings.ts';
import { Southbound } from '../handover/southbound.ts';

/** The world by the settings. The Kubernetes client is half of all code: it loads here, when the server listens already. */
export async function worldOf(settings: Settings): Promise<World & AsyncDisposable> {
  const { kubernetesClient } = await import('../handover/kubernetes-client.ts');
  const northbound = clientOf(settings, 'OVN_NB_REMOTE', 'OVN_Northbound');
  const southbound = clientOf(settings, 'OVN_SB_REMOTE', 'OVN_Southbound');
  const profile = profileOf(settings.OVN_PROFILE, settings.OVN_PORT_NAME);
  return {
    northbound: new Northbound(northbound, profile),
    southbound: new Southbound(southbound),
    kubernetes: new Kubernetes(kubernetesClient(`ovn-handover/${settings.FUNC_STEP}`)),
    profile,
    activationStrategy: settings.OVN_ACTIVATION_STRATEGY,
    async [Symbol.asyncDispose]() {
      await Promise.all([northbound.close(), southbound.close()]);
    },
  };
}

/** The settings' schema lets pass what only the client can tell, such as a port beyond 65535. */
function clientOf(settings: Settings, remote: 'OVN_NB_REMOTE' | 'OVN_SB_REMOTE', database: string): OvsdbClient {
  const { OVN_CERT: cert, OVN_KEY: key, OVN_CA: ca } = settings;
  const tls = cert && key && ca ? { cert, key, ca } : undefined;
  try {
    return new OvsdbClient({ remote: settings[remote], database, ...(tls && { tls }) });
  } catch (error) {
    throw new SettingsError(`settings: ${remote}: ${(error as Error).message}`, { cause: error });
  }
}
