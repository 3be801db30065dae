import { hintAnnotation } from '../../handover/decision/hint.ts';
import { OvsdbClient, uuid, type WireRow } from '../../packages/ovsdb-client-ts/src/index.ts';
import { VMI } from '../../testkit/moments.ts';
import { addPort, addPortBinding } from '../../testkit/ovn.ts';
import type { Installation } from './installation.ts';

export const PORT = `${VMI.name}.${VMI.namespace}`;

/** A step of a hand-over that is due. */
export interface DueStep {
  readonly function: 'reuse-port' | 'enable-dual-chassis' | 'disable-dual-chassis' | 'release-port';
  /** The object of an event that wakes the function and does not say where the port is. */
  readonly event: object;
  /** The same with the port's uuid, where a target pod carries it. */
  readonly hinted: object | undefined;
  /** Type of either event. */
  readonly type: string;
}

/** One VM; it is taken through a migration, and each of its steps can be made as often as one likes. */
export class MigratingVm implements AsyncDisposable {
  readonly #installation: Installation;
  readonly #client: OvsdbClient;
  readonly #port: string;
  readonly #binding: string;
  #committed = Promise.withResolvers<number>();
  /** The port when the step became due, and whether it was made since. */
  #before: WireRow = {};
  #made = false;
  #watch!: { stop(): Promise<void> };

  static async create(installation: Installation): Promise<MigratingVm> {
    const vm = new MigratingVm(installation);
    vm.#watch = await installation.nb.watch('Logical_Switch_Port', ['name', 'options'], ({ name }) => {
      if (name === PORT) vm.#committed.resolve(performance.now());
    });
    await installation.cluster.createVm();
    return vm;
  }

  private constructor(installation: Installation) {
    const { nb, sb } = installation;
    this.#installation = installation;
    this.#client = new OvsdbClient({ remote: nb.remote, database: 'OVN_Northbound' });
    this.#port = addPort(nb, PORT);
    this.#binding = addPortBinding(sb, PORT, 1);
  }

  /** Takes the VM to where the next step is due. */
  async *steps(): AsyncGenerator<DueStep> {
    const { cluster } = this.#installation;
    const type = 'dev.knative.apiserver.resource.update';
    const migration = await cluster.migrate('move');
    const event = migration.vmim;
    yield await this.#due({ function: 'reuse-port', event, hinted: undefined, type });

    await migration.createTarget([]);
    await migration.schedule('worker-b');
    const annotations = hintAnnotation({ ports: [this.#port], bindings: [this.#binding] });
    await cluster.vm.patchPod(migration.target, { metadata: { annotations } });
    yield await this.#due({
      function: 'enable-dual-chassis',
      event,
      hinted: await cluster.pod(migration.target),
      type,
    });

    await migration.handOff();
    await migration.switch();
    yield await this.#due({
      function: 'disable-dual-chassis',
      event,
      hinted: await cluster.pod(migration.target),
      type,
    });

    await migration.succeed('worker-b');
    const { vmi } = cluster;
    await cluster.deleteVm();
    yield await this.#due({
      function: 'release-port',
      event: vmi,
      hinted: undefined,
      type: 'dev.knative.apiserver.resource.delete',
    });
  }

  /** Takes the VM to where this step is due; `make` makes those before it. */
  async until(name: DueStep['function'], make: (earlier: DueStep) => Promise<unknown>): Promise<DueStep> {
    for await (const step of this.steps()) {
      if (step.function === name) return step;
      await make(step);
    }
    throw new Error(`no step is of ${name}`);
  }

  /** Takes back the step that is due, if it was made. */
  async undo(): Promise<void> {
    if (this.#made) await this.#observe(() => this.#update(this.#before));
    this.#made = false;
  }

  /** Makes the step that is due. @returns ms from the call of `act` to the commit */
  async commit(act: () => Promise<unknown>): Promise<number> {
    await this.undo();
    this.#made = true;
    const started = performance.now();
    return (await this.#observe(act)) - started;
  }

  /** @returns when an observer saw what `act` changed, by the clock of this process */
  async #observe(act: () => Promise<unknown>): Promise<number> {
    this.#committed = Promise.withResolvers();
    await act();
    return await this.#committed.promise;
  }

  async #due(step: DueStep): Promise<DueStep> {
    this.#before = await this.#row();
    this.#made = false;
    return step;
  }

  async #row(): Promise<WireRow> {
    const columns = ['options', 'external_ids'];
    const [result] = await this.#client.transact([{ op: 'select', ...this.#where(), columns }]);
    return result!.rows![0]!;
  }

  async #update(row: WireRow): Promise<void> {
    await this.#client.transact([{ op: 'update', ...this.#where(), row }]);
  }

  #where() {
    return { table: 'Logical_Switch_Port', where: [['_uuid', '==', uuid(this.#port)]] } as const;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watch.stop();
    await this.#client.close();
  }
}
