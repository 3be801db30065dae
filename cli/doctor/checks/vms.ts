import { whyNotHeld } from '../../../handover/decision/activation.ts';
import type { KubernetesObject } from '../../cluster/api.ts';
import { check, type Finding } from '../finding.ts';
import type { Source, Vm } from '../seen.ts';

const BINDING_LINK = 'docs/guide.md#what-has-to-be-there';

export const interfaces = check('the VMs that opted in have interfaces that can move', ['vms'], ({ vms }) =>
  vms.flatMap((vm): readonly Finding[] => {
    const named = `VMI ${nameOf(vm)}`;
    const masqueraded = vm.interfaces.filter(({ masquerade }) => masquerade);
    const withoutMac = vm.interfaces.filter(({ masquerade, macAddress }) => !masquerade && !macAddress);
    const patch = `kubectl -n ${vm.namespace} edit vm ${vm.name}`;
    return [
      ...masqueraded.map(({ name }) => ({
        id: 'interface-masquerade',
        level: 'yellow' as const,
        what: `${named} opted in, and its interface ${name} is bound by masquerade`,
        why: 'the guest’s RARP does not leave the pod, so nothing opens the target’s port before the migration is over',
        mend: `${patch}: make it bridge: {}, and start the VM anew`,
        link: BINDING_LINK,
      })),
      ...withoutMac.map(({ name }) => ({
        id: 'interface-without-mac',
        level: 'yellow' as const,
        what: `${named} opted in, and its interface ${name} has no macAddress`,
        why: 'a target pod may be given another MAC than the guest has (IdentityDiffers)',
        mend: `${patch}: set macAddress, and start the VM anew`,
        link: BINDING_LINK,
      })),
    ];
  }),
);

export const ports = check(
  'the VMs that opted in have their ports in OVN',
  ['vms'],
  ({ vms }) =>
    vms
      .filter(({ ports }) => ports?.length === 0)
      .map((vm) => ({
        id: 'port-missing',
        level: 'red',
        what: `OVN northbound has no port of VMI ${nameOf(vm)}`,
        why: 'its migrations go on without a hand-over (NoPort)',
        mend: 'are OVN_PROFILE, OVN_PORT_NAME and the remotes right? kubectl -n ovn-handover get configmap ovn-handover -o yaml',
        link: 'docs/guide.md#warnings-on-a-vm',
      })),
  'settings',
);

export const addresses = check(
  'the ports can be held by the activation strategy',
  ['vms', 'settings', 'chassis'],
  ({ vms, settings, chassis }) => {
    const strategy = settings?.OVN_ACTIVATION_STRATEGY || 'rarp';
    const support = new Set(chassis.filter(({ isRemote }) => !isRemote).map(({ strategySupport }) => strategySupport));
    // What no address would help against is another check's.
    if (!support.has('all')) return [];
    return vms.flatMap((vm) =>
      (vm.ports ?? []).flatMap(({ name, addresses }): readonly Finding[] => {
        const why = whyNotHeld(strategy, addresses, 'all');
        if (why === undefined) return [];
        return [
          {
            id: 'port-cannot-be-held',
            level: 'yellow',
            what: `port ${name} of VMI ${nameOf(vm)} cannot be held by ${strategy}: ${why}`,
            why: 'it stays with the source until the switch: an outage until that event',
            mend: 'give the port an address with a MAC, or set OVN_ACTIVATION_STRATEGY to what its addresses allow',
            link: 'docs/ovn-versions.md#strategies',
          },
        ];
      }),
    );
  },
  'settings',
);

/** Kube-OVN deletes ports of such VMs while they are in use, with us or without. */
export const besideKubeOvn = check(
  'no VM is one whose port Kube-OVN deletes',
  ['vms', 'kubeOvn'],
  ({ vms, kubeOvn }) => {
    if (kubeOvn === undefined) return [];
    const link = 'docs/guide.md#beside-kube-ovn';
    return vms.flatMap((vm): readonly Finding[] => {
      const attached = vm.networks.flatMap(({ multus }) => multus?.networkName ?? []);
      const twice = attached.filter((name, index) => attached.indexOf(name) !== index);
      return [
        ...(vm.isOwnedByVm
          ? []
          : [
              {
                id: 'vmi-without-vm',
                level: 'yellow' as const,
                what: `VMI ${nameOf(vm)} opted in, and belongs to no VirtualMachine`,
                why: 'Kube-OVN deletes its live port when the pod that it left is deleted',
                mend: 'make a VirtualMachine of it before it migrates',
                link,
              },
            ]),
        ...twice.map((network) => ({
          id: 'interfaces-share-network',
          level: 'yellow' as const,
          what: `VMI ${nameOf(vm)} opted in, and has two interfaces on ${network}`,
          why: 'Kube-OVN deletes one of its live ports when the pod that it left is deleted',
          mend: 'give each interface a NetworkAttachmentDefinition of its own',
          link,
        })),
      ];
    });
  },
);

export const heard = check(
  'the sources hear of the VMs that opted in',
  ['vms', 'sources', 'namespaces'],
  ({ vms, sources, namespaces }) => {
    const selectors = sources.flatMap(labelsOf);
    const unheard = namespaces.filter(
      ({ metadata }) =>
        vms.some(({ namespace }) => namespace === metadata.name) &&
        selectors.some((labels) => !isSelected(metadata, labels)),
    );
    return unheard.map(({ metadata: { name } }) => ({
      id: 'namespace-not-watched',
      level: 'yellow',
      what: `namespace ${name} has VMs that opted in, and not the label by which the sources watch`,
      why: 'a target there waits at its gates for the sweep',
      mend: `kubectl label namespace ${name} ${Object.entries(selectors[0]!)
        .map(([key, value]) => `${key}=${value}`)
        .join(' ')}`,
      link: 'docs/guide.md#settings-of-knative',
    }));
  },
  'installed',
);

function labelsOf({ spec }: Source): readonly Readonly<Record<string, string>>[] {
  const { matchLabels = {} } = spec.namespaceSelector ?? {};
  return Object.keys(matchLabels).length > 0 ? [matchLabels] : [];
}

function isSelected({ labels = {} }: KubernetesObject['metadata'], wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([key, value]) => labels[key] === value);
}

function nameOf({ namespace, name }: Vm): string {
  return `${namespace}/${name}`;
}
