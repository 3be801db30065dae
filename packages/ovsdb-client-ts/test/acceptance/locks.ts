import { isDeepStrictEqual } from 'node:util';
import { ConnectError, type Lock, OutcomeUnknownError, type OvsdbClient, RpcError } from '../../src/index.ts';
import { Inventory } from '../support/inventory.ts';
import { makeRandom } from '../support/random.ts';

const CLIENTS = 8;
const NAMES = ['red', 'green', 'blue'] as const;
const ACTIONS = ['lock', 'lock', 'lock', 'steal', 'unlock', 'unlock', 'cancel', 'kill', 'burst'] as const;
const SETTLED_WITHIN_MS = 10_000;
type Name = (typeof NAMES)[number];
type Action = (typeof ACTIONS)[number];

export interface LocksReport {
  steps: number;
  seed: number;
  counts: Record<Action, number>;
  problems: string[];
  seconds: number;
}

/** A client with the locks that it has asked for and neither given up nor lost. */
class Party {
  client: OvsdbClient;
  readonly locks = new Map<Name, Lock>();

  constructor(client: OvsdbClient) {
    this.client = client;
  }

  /** Returns false when the server rejects it, as it must when this client asked before. */
  async ask(method: 'lock' | 'steal', name: Name): Promise<boolean> {
    try {
      const lock = await this.client[method](name);
      this.locks.set(name, lock);
      void lock.lost.then(() => this.locks.get(name) === lock && this.locks.delete(name));
      return true;
    } catch (error) {
      if (error instanceof RpcError) return false;
      throw error;
    }
  }

  /** Asks for a lock and gives that up at once: before it is sent, before it is answered, or not in time. */
  async askAndCancel(name: Name, turns: number): Promise<void> {
    const controller = new AbortController();
    const pending = this.client.lock(name, { signal: controller.signal }).then(
      (lock) => lock.unlock(),
      (error) => {
        if (error instanceof OutcomeUnknownError || error instanceof ConnectError || error instanceof RpcError) return;
        throw error;
      },
    );
    for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
    controller.abort();
    await pending;
  }

  /** Whether this client has the lock: by the server's word, and by its own. */
  async has(name: Name): Promise<[server: boolean, client: boolean]> {
    const server = await this.client.transact([{ op: 'assert', lock: name }]).then(
      () => true,
      (error) => {
        if (error.tag !== 'not owner') throw error;
        return false;
      },
    );
    return [server, this.locks.get(name)?.isHeld ?? false];
  }
}

/** Eight clients lock, steal, unlock, give requests up and die; after each step the server and they are asked. */
export async function lockAtRandom({ steps, seed }: { steps: number; seed: number }): Promise<LocksReport> {
  const started = performance.now();
  const random = makeRandom(seed);
  const below = (n: number): number => Math.floor(random() * n);
  await using inventory = await Inventory.start();
  const parties = Array.from({ length: CLIENTS }, () => new Party(inventory.client()));
  /** The model: who wants a lock, in order; the first has it. */
  const queues: Record<Name, number[]> = { red: [], green: [], blue: [] };
  const counts = { lock: 0, steal: 0, unlock: 0, cancel: 0, kill: 0, burst: 0 };
  const problems: string[] = [];
  const leave = (name: Name, who: number): void => {
    queues[name] = queues[name].filter((other) => other !== who);
  };

  /** Asks until it is as expected: a stolen lock and a dead client are noticed soon, not at once. */
  async function check(name: Name, step: string, isRight: (holders: number[]) => boolean): Promise<void> {
    const deadline = performance.now() + SETTLED_WITHIN_MS;
    for (;;) {
      const answers = await Promise.all(parties.map((party) => party.has(name)));
      const holders = answers.flatMap(([server], who) => (server ? [who] : []));
      if (answers.every(([server, client]) => server === client) && isRight(holders)) return;
      if (performance.now() < deadline) continue;
      problems.push(`${step} ${name}: queue ${queues[name]}, [server, client] say ${JSON.stringify(answers)}`);
      return;
    }
  }

  async function act(action: Exclude<Action, 'burst'>, who: number, name: Name): Promise<void> {
    const party = parties[who]!;
    const wants = queues[name].includes(who);
    switch (action) {
      case 'lock':
      case 'steal':
        if ((await party.ask(action, name)) === wants) problems.push(`${who} asked twice for ${name}, and got it`);
        if (wants) return;
        if (action === 'lock') queues[name].push(who);
        else queues[name].splice(0, 1, who);
        return;
      case 'unlock':
        await party.locks.get(name)?.unlock();
        leave(name, who);
        return;
      case 'cancel':
        await party.askAndCancel(name, below(4));
        return;
      case 'kill':
        await party.client.close();
        party.client = inventory.client();
        party.locks.clear();
        for (const each of NAMES) leave(each, who);
    }
  }

  /** Several at the same time, in an order that nobody knows; then all leave, one after the other. */
  async function burst(name: Name): Promise<void> {
    const busy = parties.filter(() => random() < 0.5);
    await Promise.all(
      busy.map((party) => {
        const kind = below(4);
        return kind === 0 ? party.askAndCancel(name, below(4)) : party.ask(kind === 1 ? 'steal' : 'lock', name);
      }),
    );
    const wanting = (): number => parties.filter(({ locks }) => locks.has(name)).length;
    await check(name, 'after a burst', (holders) => holders.length === Math.min(1, wanting()));
    for (const [who, party] of parties.entries()) {
      await party.locks.get(name)?.unlock();
      leave(name, who);
      await check(name, 'leaving after a burst', (holders) => holders.length === Math.min(1, wanting()));
    }
  }

  for (let step = 0; step < steps && problems.length < 5; step++) {
    const action = ACTIONS[below(ACTIONS.length)]!;
    const name = NAMES[below(NAMES.length)]!;
    const who = below(CLIENTS);
    counts[action]++;
    if (action === 'burst') await burst(name);
    else await act(action, who, name);
    const places = action === 'kill' ? NAMES : [name];
    for (const each of places) {
      const expected = queues[each].slice(0, 1);
      await check(each, `step ${step}: ${action} by ${who}`, (holders) => isDeepStrictEqual(holders, expected));
    }
  }
  await Promise.all(parties.map(({ client }) => client.close()));
  return { steps, seed, counts, problems, seconds: Math.round((performance.now() - started) / 1000) };
}
