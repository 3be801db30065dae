import { OvsdbClient } from 'ovsdb-client-ts';
import type { World } from '../handover/handover.ts';
import { Kubernetes } from '../handover/kubernetes.ts';
import { Northbound } from '../handover/northbound.ts';
import { profileOf } from '../handover/profile.ts';
import type { Settings } from '../handover/settings.ts';
import { Southbound } from '../handover/southbound.ts';

/** The world by the settings. The Kubernetes client is by far the largest module: it loads while the server starts to listen. */
export async function worldOf(settings: Settings): Promise<World & AsyncDisposable> {
  const { kubernetesClient } = await import('../handover/kubernetes-client.ts');
  const northbound = new OvsdbClient({ remote: settings.OVN_NB_REMOTE, database: 'OVN_Northbound' });
  const southbound = new OvsdbClient({ remote: settings.OVN_SB_REMOTE, database: 'OVN_Southbound' });
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
