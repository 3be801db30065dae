import type { KnownDifference } from './differences.ts';

/** What the stand-in does otherwise than the KubeVirt that was recorded, and why. */
export const KNOWN: readonly KnownDifference[] = [
  {
    role: 'target pod',
    words: /^metadata\.annotations\.(pre|post)\.hook\.backup\.velero\.io/,
    reason: 'They are for Velero, a backup tool, which the lab has not.',
  },
  {
    role: 'target pod',
    words: /^metadata\.annotations\.kubevirt\.io\/(memory-overhead-bytes|pci-topology-version|vm-generation)=/,
    reason: 'They are about a domain of libvirt, which guests of the lab are not.',
  },
  {
    role: 'target pod',
    words: /^metadata\.annotations\.ovn\.kubernetes\.io\//,
    reason: 'They are of Kube-OVN, without which the recordings were made.',
  },
  {
    role: 'target pod',
    words: /^status\.hostIP$/,
    reason: 'The recorder left it out.',
  },
  {
    role: 'VMIM',
    words: /^-?metadata\.annotations\.lab\.ovn-handover\.dev\//,
    reason: 'By them a test holds a migration where the recorded one was slow.',
  },
];

/** Of a migration that was recorded without gates, where the lab's target has some. */
export const WITHOUT_GATES: readonly KnownDifference[] = [
  ...KNOWN,
  {
    role: 'target pod',
    words: /^-?spec\.gates|^status\.conditions\.PodScheduled=False SchedulingGated$/,
    reason: 'It was recorded before the gate was applied.',
  },
];

/** Of a recording that ends with its VMIM. */
export const UNTIL_THE_VMIM_WAS_GONE: readonly KnownDifference[] = [
  ...WITHOUT_GATES,
  {
    role: 'target pod',
    words:
      /ContainersNotReady \(2\)$|=terminated$|PodCompleted$|PodFailed$|PodSandboxNotReady \(2\)$|^status\.phase=(Succeeded|Failed)$/,
    reason: "The recording ends before the target's container does.",
  },
];
