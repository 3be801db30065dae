import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { OvsdbClient } from 'ovsdb-client-ts';
import { desired, type Step } from '../../handover/decision/desired.ts';
import { TryAgainError } from '../../handover/decision/errors.ts';
import { factsOf } from '../../handover/decision/facts.ts';
import { DUAL_GATE, gatesOf, PORT_GATE, type Pod } from '../../handover/decision/kubevirt.ts';
import { profileOf } from '../../handover/decision/profile.ts';
import { recordOf } from '../../handover/decision/record.ts';
import { kubernetesClient } from '../../handover/kubernetes/client.ts';
import { httpsExchange } from '../../handover/kubernetes/http.ts';
import { Kubernetes } from '../../handover/kubernetes/kubernetes.ts';
import type { World } from '../../handover/observe.ts';
import { Northbound } from '../../handover/ovn/northbound.ts';
import { Southbound } from '../../handover/ovn/southbound.ts';
import { reconcile } from '../../handover/reconcile.ts';
import { Cluster } from '../../testkit/cluster.ts';
import { VMI } from '../../testkit/moments.ts';
import { addChassis, addPort, mapOf, OvnDatabase } from '../../testkit/ovn.ts';

const PORTS = ['web-01.prod', 'web-01.prod.tenant-a.prod.ovn'];
const STEPS: Step[] = ['reuse-port', 'enable-dual-chassis', 'disable-dual-chassis'];
const GATES = [PORT_GATE, DUAL_GATE];
const REPLICAS = 20;
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

let nb: OvnDatabase;
let sb: OvnDatabase;
let cluster: Cluster;
const clients: OvsdbClient[] = [];

beforeAll(async () => {
  [nb, sb, cluster] = await Promise.all([OvnDatabase.start('nb'), OvnDatabase.start('sb'), Cluster.start()]);
  addChassis(sb, 'chassis-a', 'worker-a', '10.0.0.1');
  addChassis(sb, 'chassis-b', 'worker-b', '10.0.0.2');
  for (const name of PORTS) addPort(nb, name);
  await cluster.createVm();
}, 30_000);
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await Promise.all([nb, sb, cluster].map((part) => part?.[Symbol.asyncDispose]()));
});

/** A replica of its own: nothing is shared but the databases. Its view of Kubernetes comes late, up to `lateMs`. */
function replica(lateMs: number): World {
  const client = (database: OvnDatabase) => {
    const made = new OvsdbClient({ remote: database.remote, database: database.name });
    clients.push(made);
    return made;
  };
  const profile = profileOf('kube-ovn', '');
  const kubernetes = new Kubernetes(kubernetesClient(httpsExchange('test', cluster.config)));
  const objectsOf = kubernetes.objectsOf.bind(kubernetes);
  kubernetes.objectsOf = async (vmi) => {
    const objects = await objectsOf(vmi);
    await sleep(Math.random() * lateMs);
    return objects;
  };
  return {
    northbound: new Northbound(client(nb), profile),
    southbound: new Southbound(client(sb)),
    kubernetes,
    profile,
    activationStrategy: 'rarp',
    sleep,
  };
}

/** Replicas that run any step, again and again, until they are stopped. */
function storm() {
  const stop = new AbortController();
  const calls = { done: 0, changed: 0, again: 0 };
  const run = async (number: number) => {
    // The quickest see what is, the slowest what was true one and a half seconds ago.
    const world = replica((number * 1_500) / REPLICAS);
    for (let step = number; !stop.signal.aborted; step++) {
      try {
        const { changes } = await reconcile(STEPS[step % STEPS.length]!, { vmi: VMI }, world, SILENT);
        calls.done++;
        if (changes.length > 0) calls.changed++;
      } catch (error) {
        if (!(error instanceof TryAgainError)) throw error;
        calls.again++;
      }
    }
  };
  const replicas = Promise.all(Array.from({ length: REPLICAS }, (_, number) => run(number)));
  return {
    calls,
    async stop() {
      stop.abort();
      await replicas;
    },
  };
}

/** What OVN's own tool saw of the ports: binding by binding, for the migration that it is of. */
async function watchBindings() {
  const seen = new Map(PORTS.map((name) => [name, [] as string[]]));
  const illegal: string[] = [];
  const watch = await nb.watch('Logical_Switch_Port', ['name', 'options'], (row) => {
    const options = new Map((row.options as ['map', [string, string][]])[1]);
    const record = recordOf(Object.fromEntries(options));
    const requested = options.get('requested-chassis') ?? '';
    const isDual = requested.includes(',');
    const state = `${requested} ${options.get('activation-strategy') ?? 'open'} ${record?.binding}`;
    if (isDual !== (options.get('activation-strategy') === 'rarp')) illegal.push(state);
    if (requested !== '' && record?.binding !== (isDual ? 'dual' : 'pinned')) illegal.push(state);
    const bindings = seen.get(String(row.name))!;
    if (bindings.at(-1) !== requested) bindings.push(requested);
  });
  return { seen, illegal, stop: () => watch.stop() };
}

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(20)) {
    if (await condition()) return;
  }
  throw new Error(`${what}: not within 20 s`);
}

const requested = () => PORTS.map((name) => mapOf(nb, name, 'options')['requested-chassis']);
const areAll = (value: string) => () => requested().every((chassis) => chassis === value);
const isLetGo = (pod: string) => async () => gatesOf((await cluster.pod(pod)) as unknown as Pod).length === 0;

/** What the rules say of each port, by the facts as they are now, is what it has. */
async function expectSettled(): Promise<void> {
  const facts = factsOf(await new Kubernetes(kubernetesClient(httpsExchange('test', cluster.config))).objectsOf(VMI));
  for (const name of PORTS) {
    const record = recordOf(mapOf(nb, name, 'options'));
    expect(desired(facts, record)).toMatchObject({ binding: 'pinned', node: 'worker-b', record });
  }
}

describe(`${REPLICAS} replicas of all functions at once, each with late news`, () => {
  test('never show an illegal binding, and end as the rules say: there, a failure, and there again', async () => {
    const watch = await watchBindings();
    const running = storm();
    try {
      const failing = await cluster.migrate('fails');
      await failing.createTarget(GATES);
      await until('both gates are gone', isLetGo(failing.target));
      await failing.schedule('worker-b');
      await until('dual', areAll('chassis-a,chassis-b'));
      await failing.handOff();
      await failing.fail();
      await until('back on the source', areAll('chassis-a'));

      const moving = await cluster.migrate('succeeds');
      await moving.createTarget(GATES);
      await until('both gates are gone', isLetGo(moving.target));
      await moving.schedule('worker-b');
      await until('dual again', areAll('chassis-a,chassis-b'));
      await moving.handOff();
      await moving.switch();
      await until('pinned to the target', areAll('chassis-b'));
      await moving.succeed('worker-b');
      // Late calls go on for a while after all is over.
      const { done } = running.calls;
      await until('late calls', () => running.calls.done > done + 10 * REPLICAS);
    } finally {
      await running.stop();
      await watch.stop();
    }

    const story = ['', 'chassis-a', 'chassis-a,chassis-b', 'chassis-a', 'chassis-a,chassis-b', 'chassis-b'];
    expect(watch.illegal).toEqual([]);
    expect(Object.fromEntries(watch.seen)).toEqual(Object.fromEntries(PORTS.map((name) => [name, story])));
    await expectSettled();
    expect(running.calls.changed).toBeGreaterThanOrEqual(5);
  }, 90_000);
});
