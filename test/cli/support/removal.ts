import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import type { KubernetesObject } from '@kubernetes/client-node';
import { DUAL_GATE, PORT_GATE } from '../../../handover/decision/kubevirt.ts';
import { resources } from '../../../lab/kubernetes-api/resources.ts';
import type { Migration } from '../../../testkit/kubevirt-vm.ts';
import { addPort, addPortBinding, mapOf } from '../../../testkit/ovn.ts';
import { Installed } from './installed.ts';
import { installWhole } from './whole.ts';

export const PORT = 'web-01.prod';
const SOURCE = 'virt-launcher-web-01-source';

/** All of an overlay, with its profile, and a VM that has opted in. */
export async function installedWithVm(overlay = 'kube-ovn'): Promise<Installed> {
  const installed = await Installed.start();
  try {
    await installWhole(installed, `overlays/${overlay}`);
    if (overlay.startsWith('generic')) await useProfile(installed, 'generic');
    addPort(installed.nb, PORT);
    addPortBinding(installed.sb, PORT, 1);
    await installed.cluster.createVm();
    return installed;
  } catch (error) {
    await installed[Symbol.asyncDispose]();
    throw error;
  }
}

async function useProfile({ objects }: Installed, profile: string): Promise<void> {
  const settings = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'ovn-handover', namespace: 'ovn-handover' },
    data: { OVN_PROFILE: profile },
  } as KubernetesObject;
  await objects.patch(settings, undefined, undefined, undefined, undefined, 'application/merge-patch+json');
}

/** Every object in the cluster in which our name stands anywhere, but in what a VM's owner wrote. */
export async function ours({ objects }: Installed): Promise<string[]> {
  const kinds = resources.filter(({ kind }) => kind !== 'SubjectAccessReview' && kind !== 'Event');
  const lists = await Promise.all(
    kinds.map(({ group, version, kind }) =>
      objects.list(group ? `${group}/${version}` : version, kind).catch(() => ({ items: [] })),
    ),
  );
  return lists
    .flatMap(({ items }) => items)
    .filter((object) => JSON.stringify(object).includes('ovn-handover'))
    .map(({ kind, metadata }) => `${kind} ${metadata?.name}`);
}

export async function expectNothingLeft(installed: Installed): Promise<void> {
  expect(await ours(installed)).toEqual([]);
  expect(mapOf(installed.nb, PORT, 'options')).toEqual({});
}

/** The moments of a migration, each after the one before, as KubeVirt and the scheduler bring them about. */
export class Play {
  readonly #installed: Installed;
  #migration: Migration | undefined;
  /** Where the guest runs. */
  guestOn: 'chassis-a' | 'chassis-b' = 'chassis-a';

  constructor(installed: Installed) {
    this.#installed = installed;
  }

  /** As the functions would, where they still are. */
  async #functions(): Promise<void> {
    await this.#installed.cli('resync', '--write');
  }

  readonly moments: Readonly<Record<string, () => Promise<void>>> = {
    'has just been asked for': async () => {
      this.#migration = await this.#installed.cluster.migrate('move');
    },
    'has a target at its gates': async () => {
      const hasGate = (await ours(this.#installed)).some((name) => name.startsWith('MutatingAdmissionPolicy '));
      await this.#migration!.createTarget(hasGate ? [PORT_GATE, DUAL_GATE] : []);
    },
    'has a target on a node': async () => {
      const gates = async () =>
        (await this.#installed.cluster.pod(this.#migration!.target)).spec?.schedulingGates ?? [];
      let call: Promise<void> | undefined;
      while ((await gates()).length > 0) {
        // Each call stays with the target until it has a node.
        call ??= this.#functions().finally(() => {
          call = undefined;
        });
        await sleep(300);
      }
      await this.#migration!.schedule('worker-b');
      await call;
    },
    'copies memory': async () => {
      await this.#functions();
      await this.#migration!.handOff();
    },
    'has switched': async () => {
      this.guestOn = 'chassis-b';
      await this.#migration!.switch();
    },
    'has succeeded': async () => {
      await this.#functions();
      await this.#migration!.succeed('worker-b');
      await this.#installed.cluster.deletePod(SOURCE);
    },
  };

  /** The migration comes to nothing, at any moment before the switch. */
  async fail(): Promise<void> {
    const { target } = this.#migration!;
    if (target === '') return await this.#migration!.phase('Failed');
    await this.#migration!.fail();
    await this.#installed.cluster.deletePod(target);
  }

  /** @param pauseMs before each */
  async through(names: readonly string[], pauseMs = 0): Promise<void> {
    for (const name of names) {
      await sleep(pauseMs);
      await this.moments[name]!();
    }
  }
}

export const MOMENTS = Object.keys(new Play(undefined as never).moments);
