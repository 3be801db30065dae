import { readFile } from 'node:fs/promises';
import { CloudEvent } from 'cloudevents';
import { postEvent } from './knative/post-event.ts';
import { StandIn } from './stand-in.ts';

export interface EventPathOptions {
  /** Port of the broker. */
  readonly ingress: number;
  /** Flags of `lab/knative/main.ts`. */
  readonly flags: readonly string[];
  /** Settings of the functions. */
  readonly env: Readonly<Record<string, string>>;
  /** Where what it says goes. */
  readonly output: string;
}

const PROGRAM = new URL('knative/main.ts', import.meta.url);

/** All of Knative: source, broker, and the functions. It can be away for a while, and what happens then it never tells. */
export class EventPath {
  readonly #options: EventPathOptions;
  #standIn: StandIn | undefined;

  constructor(options: EventPathOptions) {
    this.#options = options;
  }

  /** Resolves when events would reach the functions. @param env goes over the settings of before, this time */
  async start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    const settings = Object.entries({ ...this.#options.env, ...env }).map(([key, value]) => `--env=${key}=${value}`);
    const { ingress, flags, output } = this.#options;
    const name = 'the Knative stand-ins (source, broker, activator)';
    this.#standIn = await StandIn.start(name, PROGRAM, ['--port', `${ingress}`, ...flags, ...settings], output);
  }

  async stop(): Promise<void> {
    await this.#standIn?.stop();
    this.#standIn = undefined;
  }

  /** Gives an event to the broker, as a source would, or anybody who can reach it. */
  async post(event: CloudEvent<unknown>): Promise<void> {
    const url = `http://127.0.0.1:${this.#options.ingress}/ovn-handover/migrations`;
    const { status, body } = await postEvent(url, event, { signal: AbortSignal.timeout(10_000) });
    if (status !== 202) throw new Error(`The broker does not take the event: ${status} ${body}`);
  }

  /** What the PingSource sends every two minutes: `reconcile` looks at everything. */
  async ping(): Promise<void> {
    await this.post(
      new CloudEvent({ type: 'dev.knative.sources.ping', source: '/apis/v1/namespaces/lab/pingsources/lab' }),
    );
  }

  /** The processes of functions that run now. */
  async functions(): Promise<{ readonly name: string; readonly pid: number }[]> {
    const parent = this.#standIn?.pid;
    const children = await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8').catch(() => '');
    const found = children
      .split(' ')
      .filter(Boolean)
      .map(async (pid) => {
        const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
        const name = /(?:^|\0)FUNC_STEP=([^\0]*)/.exec(environment)?.[1];
        return name === undefined ? [] : [{ name, pid: Number(pid) }];
      });
    return (await Promise.all(found)).flat();
  }
}
