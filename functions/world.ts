import { setTimeout as sleep } from 'node:timers/promises';
import { OvsdbClient } from 'ovsdb-client-ts';
import { SettingsError, TryAgainError } from '../handover/decision/errors.ts';
import { profileOf } from '../handover/decision/profile.ts';
import { Kubernetes } from '../handover/kubernetes/kubernetes.ts';
import type { World } from '../handover/observe.ts';
import { Northbound } from '../handover/ovn/northbound.ts';
import { Southbound } from '../handover/ovn/southbound.ts';
import type { Settings } from './settings.ts';

const ASK_AGAIN_MS = 1_000;

/** The world by the settings. The Kubernetes client is half of all code: it loads here, when the server listens already. */
export async function worldOf(settings: Settings): Promise<World & AsyncDisposable> {
  const [{ kubernetesClient }, { httpsExchange }] = await Promise.all([
    import('../handover/kubernetes/client.ts'),
    import('../handover/kubernetes/http.ts'),
  ]);
  const northbound = clientOf(settings, 'OVN_NB_REMOTE', 'OVN_Northbound');
  const southbound = clientOf(settings, 'OVN_SB_REMOTE', 'OVN_Southbound');
  const profile = profileOf(settings.OVN_PROFILE, settings.OVN_PORT_NAME);
  return {
    northbound: new Northbound(northbound, profile),
    southbound: new Southbound(southbound),
    kubernetes: new Kubernetes(kubernetesClient(httpsExchange(`ovn-handover/${settings.FUNC_STEP}`))),
    profile,
    activationStrategy: settings.OVN_ACTIVATION_STRATEGY,
    sleep,
    async [Symbol.asyncDispose]() {
      await Promise.all([northbound.close(), southbound.close()]);
    },
  };
}

/**
 * Resolves once OVN has said that some chassis can hold a port by the strategy. Where chassis differ, each hand-over
 * looks at the one that its VM goes to.
 * @throws SettingsError if none can
 */
export async function checkStrategy({ southbound, activationStrategy }: World): Promise<void> {
  // Each ovn-controller that knows a strategy knows this one.
  if (activationStrategy === 'rarp') return;
  const support = [...(await untilAnswered(() => southbound.strategySupport())).values()];
  if (support.length === 0 || support.includes('all')) return;
  throw new SettingsError(
    `settings: OVN_ACTIVATION_STRATEGY is ${activationStrategy}, but on all ${support.length} chassis ovn-controller knows only rarp and would leave a target's port open: set rarp, or upgrade OVN (docs/ovn-versions.md)`,
  );
}

async function untilAnswered<Result>(ask: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof TryAgainError)) throw error;
      await sleep(ASK_AGAIN_MS, undefined, { ref: false });
    }
  }
}

/** The settings' schema lets pass what only the client can check, such as a port beyond 65535. */
function clientOf(settings: Settings, remote: 'OVN_NB_REMOTE' | 'OVN_SB_REMOTE', database: string): OvsdbClient {
  const { OVN_CERT: cert, OVN_KEY: key, OVN_CA: ca } = settings;
  const tls = cert && key && ca ? { cert, key, ca } : undefined;
  try {
    return new OvsdbClient({ remote: settings[remote], database, ...(tls && { tls }) });
  } catch (error) {
    throw new SettingsError(`settings: ${remote}: ${(error as Error).message}`, { cause: error });
  }
}
