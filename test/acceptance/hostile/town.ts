import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CustomObjectsApi, PatchStrategy, setHeaderOptions, type V1Pod } from '@kubernetes/client-node';
import { Cluster } from '../../../testkit/cluster.ts';
import { build, FunctionProcess } from '../../../testkit/function-process.ts';
import type { Migration } from '../../../testkit/kubevirt-vm.ts';
import { object } from '../../../testkit/moments.ts';
import { addChassis, addPort, addPortBinding, OvnDatabase } from '../../../testkit/ovn.ts';
import type { Victims } from './request.ts';

const STEPS = ['reuse-port', 'enable-dual-chassis', 'disable-dual-chassis', 'release-port', 'reconcile'] as const;
/**
 * As V8 sets itself up within the memory limit of a function (`functions/<step>/func.yaml`). With the memory of a whole
 * machine it collects so late that a process grows for a hundred thousand events, without anything being leaked.
 */
const AS_IN_256_MIB = '--max-semi-space-size=1 --max-old-space-size=128';
const NODES = ['worker-a', 'worker-b', 'worker-c'];

/**
 * The functions, and VMs in every state in which there is nothing to do: idle and never migrated, pinned after a
 * migration, pinned before one with a forged target in place, dual in the middle of one, not opted in, gone, and one of
 * the same name in a tenant's namespace. Whatever an event says, nothing here may change.
 */
export class Town implements AsyncDisposable {
  readonly functions: readonly FunctionProcess[];
  readonly victims: Victims;
  readonly #stack: AsyncDisposableStack;
  readonly #databases: readonly OvnDatabase[];

  private constructor(
    stack: AsyncDisposableStack,
    databases: readonly OvnDatabase[],
    functions: readonly FunctionProcess[],
    victims: Victims,
  ) {
    this.#stack = stack;
    this.#databases = databases;
    this.functions = functions;
    this.victims = victims;
  }

  static async start(): Promise<Town> {
    build();
    await using stack = new AsyncDisposableStack();
    const nb = stack.use(await OvnDatabase.start('nb'));
    const sb = stack.use(await OvnDatabase.start('sb'));
    const cluster = stack.use(await Cluster.start());
    const directory = mkdtempSync(join(tmpdir(), 'handover-hostile-'));
    stack.defer(() => rmSync(directory, { recursive: true }));
    const kubeconfig = join(directory, 'kubeconfig');
    writeFileSync(kubeconfig, cluster.kubeconfig);
    const settings = {
      OVN_NB_REMOTE: nb.remote,
      OVN_SB_REMOTE: sb.remote,
      KUBECONFIG: kubeconfig,
      NODE_OPTIONS: AS_IN_256_MIB,
    };
    const functions = await Promise.all(STEPS.map((FUNC_STEP) => FunctionProcess.start({ ...settings, FUNC_STEP })));
    for (const each of functions) stack.use(each);
    const victims = await settle(nb, sb, cluster, functions);
    return new Town(stack.move(), [nb, sb], functions, victims);
  }

  /** Every row of OVN northbound and southbound. */
  dump(): string {
    return this.#databases.map((database) => database.dump()).join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

async function settle(
  nb: OvnDatabase,
  sb: OvnDatabase,
  cluster: Cluster,
  functions: readonly FunctionProcess[],
): Promise<Victims> {
  NODES.forEach((node, index) => {
    addChassis(sb, node.replace('worker', 'chassis'), node, `10.0.0.${index + 1}`);
  });
  const rows: string[] = [];
  const vms: { namespace: string; name: string; uid: string }[] = [];
  const port = (namespace: string, name: string) => {
    rows.push(addPort(nb, `${name}.${namespace}`, `${namespace}/${name}`));
    rows.push(addPortBinding(sb, `${name}.${namespace}`, rows.length));
  };
  const vm = async (name: string, annotations?: Record<string, string>) => {
    const { uid } = (await cluster.createVm(name, annotations)).metadata;
    vms.push({ namespace: 'prod', name, uid });
    port('prod', name);
  };
  const wake = async (event: unknown) => {
    for (const each of functions.slice(0, 4)) await each.send(event);
  };
  const migrations: string[] = [];
  const migrate = async (name: string): Promise<Migration> => {
    const migration = await cluster.migrate(name);
    migrations.push(migration.vmim.metadata.uid);
    await wake(migration.vmim);
    return migration;
  };
  const migrateToTarget = async (name: string) => {
    const migration = await migrate(name);
    await migration.createTarget([]);
    await migration.schedule('worker-b');
    await wake(await cluster.pod(migration.target));
    return migration;
  };

  await vm('idle-01');
  await vm('plain-01', {});
  nb.ctl('set', 'Logical_Switch_Port', 'plain-01.prod', 'options:requested-chassis=chassis-c');

  await vm('moved-01');
  const moved = await migrateToTarget('moved');
  await moved.handOff();
  await moved.switch();
  await wake(moved.vmim);
  await moved.succeed('worker-b');
  await wake(moved.vmim);

  await vm('waits-01');
  const waits = await migrate('waits');
  await forgeTarget(cluster, waits);

  await vm('web-01');
  const moves = await migrateToTarget('moves');
  for (const [column, chassis] of [
    ['chassis', 'chassis-a'],
    ['additional_chassis', 'chassis-b'],
  ] as const) {
    const uuid = sb.ctl('--bare', '--columns=_uuid', 'find', 'Chassis', `name=${chassis}`);
    sb.ctl('set', 'Port_Binding', rows.at(-1)!, `${column}=${uuid}`);
  }
  await moves.handOff();
  await wake(moves.vmim);

  await tenantsVm(cluster);
  vms.push({ namespace: 'tenant', name: 'web-01', uid: '22222222-0000-4000-8000-000000000000' });
  port('tenant', 'web-01');
  vms.push({ namespace: 'prod', name: 'gone-01', uid: '33333333-0000-4000-8000-000000000000' });
  port('prod', 'gone-01');
  return { vms, migrations, rows, nodes: NODES };
}

/** A tenant's pod with every label of a target of this migration, owned by a VMI of this name with another uid. */
async function forgeTarget(cluster: Cluster, migration: Migration): Promise<void> {
  const { name, uid } = cluster.vmi.metadata;
  const owner = { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstance', name, controller: true };
  const body = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `virt-launcher-${name}-forged`,
      namespace: 'prod',
      labels: {
        'kubevirt.io': 'virt-launcher',
        'kubevirt.io/created-by': uid,
        'kubevirt.io/migrationJobUID': migration.vmim.metadata.uid,
      },
      ownerReferences: [{ ...owner, uid: '44444444-0000-4000-8000-000000000000' }],
    },
    spec: { nodeName: 'worker-c', containers: [{ name: 'compute', image: 'x' }] },
  };
  await cluster.core.createNamespacedPod({ namespace: 'prod', body: body as unknown as V1Pod });
}

/** In another namespace under the same name: opted in, and never migrated. */
async function tenantsVm(cluster: Cluster): Promise<void> {
  await cluster.core.createNamespace({ body: { metadata: { name: 'tenant' } } });
  const { uid, resourceVersion, creationTimestamp, generation, ...metadata } = object('vmi-01-idle').metadata as Record<
    string,
    unknown
  >;
  const at = { group: 'kubevirt.io', version: 'v1', namespace: 'tenant', plural: 'virtualmachineinstances' };
  const body = { ...object('vmi-01-idle'), metadata: { ...metadata, name: 'web-01', namespace: 'tenant' } };
  const api = cluster.config.makeApiClient(CustomObjectsApi);
  await api.createNamespacedCustomObject({ ...at, body });
  const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
  await api.patchNamespacedCustomObject({ ...at, name: 'web-01', body: { status: { nodeName: 'worker-c' } } }, merge);
}
