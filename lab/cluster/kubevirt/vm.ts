import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { virtualMachine } from '../../kubevirt/manifests.ts';
import { answers } from '../../migrate/vm.ts';
import type { VmDescription } from '../../testbed/description.ts';
import type { ClusterDescription } from '../description.ts';
import { eventually } from '../eventually.ts';
import { GUEST_IMAGE, INITRD_PATH, KERNEL_PATH } from '../images/small.ts';
import { kubectlIn } from '../kubectl.ts';

const RUNNING_WITHIN_MS = 300_000;
const ANSWERS_WITHIN_MS = 120_000;

/** Creates VMs where they are not there yet, and waits until the guest of each answers the client over OVN. */
export async function startVms(
  cluster: ClusterDescription,
  vms: readonly VmDescription[],
  onProgress: (step: string) => void,
): Promise<void> {
  onProgress(`creating ${vms.map(({ namespace, name }) => `${namespace}/${name}`).join(', ')}`);
  for (const vm of vms) await createVm(cluster, vm);
  for (const vm of vms) {
    await vmRuns(cluster, vm);
    onProgress(`waiting until the guest of ${vm.name} answers the client over OVN`);
    await vmAnswers(cluster, vm);
  }
}

/** A VM with the lab's guest, which boots without a disk: its address is on the kernel's command line. */
function clusterVm({ name, namespace, interfaces }: VmDescription): object {
  const vm = virtualMachine({ name, namespace, interfaces });
  const { spec } = vm.spec.template;
  const addresses = interfaces.map(({ ip }) => `${ip}/24`).join();
  return {
    ...vm,
    spec: {
      ...vm.spec,
      template: {
        ...vm.spec.template,
        spec: {
          ...spec,
          terminationGracePeriodSeconds: 0,
          domain: {
            ...spec.domain,
            memory: { guest: '128Mi' },
            firmware: {
              kernelBoot: {
                kernelArgs: `console=ttyS0 quiet guest.addresses=${addresses}`,
                container: {
                  image: GUEST_IMAGE,
                  imagePullPolicy: 'IfNotPresent',
                  kernelPath: KERNEL_PATH,
                  initrdPath: INITRD_PATH,
                },
              },
            },
            devices: { ...spec.domain.devices, autoattachGraphicsDevice: false, autoattachInputDevice: false },
          },
        },
      },
    },
  };
}

/** Creates a VM; there is none before KubeVirt's webhooks answer. */
async function createVm(cluster: ClusterDescription, vm: VmDescription): Promise<void> {
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: vm.namespace } };
  const file = join(cluster.directory, `${vm.name}.yaml`);
  await writeFile(file, [namespace, clusterVm(vm)].map((object) => stringify(object)).join('---\n'));
  await eventually(`VM ${vm.name} is created`, ANSWERS_WITHIN_MS, async () => {
    await kubectlIn(cluster, 'apply', '-f', file);
    return true;
  });
}

/** Waits until KubeVirt says that the VM runs. */
async function vmRuns(cluster: ClusterDescription, { name, namespace }: VmDescription): Promise<void> {
  const phase = ['-n', namespace, 'get', 'vmi', name, '-o', 'jsonpath={.status.phase}'];
  await eventually(`VM ${name} runs`, RUNNING_WITHIN_MS, async () => {
    const seen = await kubectlIn(cluster, ...phase);
    return seen === 'Running' || `phase ${seen || 'unknown'}`;
  });
}

/** Waits until the VM's guest answers the client over OVN. */
async function vmAnswers({ testbed }: ClusterDescription, { name, interfaces }: VmDescription): Promise<void> {
  for (const { ip } of interfaces) {
    await eventually(`the guest of ${name} answers on ${ip}`, ANSWERS_WITHIN_MS, async () =>
      (await answers(testbed, ip)) ? true : 'no answer',
    );
  }
}
