import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FunctionSpec } from './func-yaml.ts';
import { type FunctionCommand, FunctionProcess } from './function-process.ts';
import { bodyOf, endToEnd, exchange, type Listening, listen } from './http.ts';
import type { Journal } from './journal.ts';

export interface ActivatorOptions {
  readonly spec: FunctionSpec;
  readonly command: FunctionCommand;
  /** Milliseconds without a request after which the process is ended. */
  readonly idle: number;
  /** File for the process's stdout and stderr. */
  readonly output: string;
  readonly journal: Journal;
}

/**
 * Stands before one function as Knative's activator does: the first request starts the process, requests wait until it
 * is ready, and it is ended when none came for a while. At most one process takes requests at any time.
 */
export class Activator {
  readonly #options: ActivatorOptions;
  readonly #processes = new Set<FunctionProcess>();
  readonly #stop = new AbortController();
  #current: Promise<FunctionProcess> | undefined;
  #inFlight = 0;
  #idleTimer: NodeJS.Timeout | undefined;
  #listening: Listening | undefined;

  constructor(options: ActivatorOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#listening = await listen((request, response) => void this.#serve(request, response));
  }

  get url(): string {
    if (!this.#listening) throw new Error(`The activator of ${this.#options.spec.name} has not been started.`);
    return `${this.#listening.url}/`;
  }

  /** Gives up the requests that are there, takes no more, and ends the process. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('the function is being stopped'));
    clearTimeout(this.#idleTimer);
    await this.#listening?.close();
    await this.#current?.catch(() => undefined);
    await Promise.all([...this.#processes].map((running) => running.stop()));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#inFlight++;
    clearTimeout(this.#idleTimer);
    try {
      await this.#forward(request, response);
    } finally {
      this.#inFlight--;
      if (this.#inFlight === 0 && !this.#stop.signal.aborted) {
        this.#idleTimer = setTimeout(() => void this.#scaleToZero(), this.#options.idle);
      }
    }
  }

  async #forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let status = 503;
    try {
      const { method = 'GET', url = '/', headers } = request;
      const body = await bodyOf(request);
      this.#stop.signal.throwIfAborted();
      const running = await this.#process();
      status = 502;
      const answer = await exchange(running.url + url, {
        method,
        headers: endToEnd(Object.entries(headers).map(([name, value]) => [name, String(value)])),
        body,
        signal: this.#stop.signal,
      });
      response.writeHead(answer.status, endToEnd(answer.headers)).end(answer.body);
    } catch (error) {
      response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
      response.end((error as Error).message);
    }
  }

  /** The process that takes requests, started if there is none. */
  #process(): Promise<FunctionProcess> {
    if (this.#current) return this.#current;
    const starting = this.#coldStart();
    const forget = () => {
      if (this.#current === starting) this.#current = undefined;
    };
    starting.then((running) => running.ended).then(forget, forget);
    this.#current = starting;
    return starting;
  }

  async #coldStart(): Promise<FunctionProcess> {
    const { spec, command, output, journal } = this.#options;
    const started = performance.now();
    const running = await FunctionProcess.start(command, output);
    this.#processes.add(running);
    void running.ended.then((how) => {
      this.#processes.delete(running);
      journal({ kind: 'ended', function: spec.name, body: how });
    });
    try {
      await running.ready(spec.readiness);
    } catch (error) {
      await running.stop();
      throw error;
    }
    journal({ kind: 'coldStart', function: spec.name, ms: Math.round(performance.now() - started) });
    return running;
  }

  async #scaleToZero(): Promise<void> {
    const current = this.#current;
    // From here on a request starts another process, and does not meet the one that ends.
    this.#current = undefined;
    await (await current)?.stop();
  }
}
