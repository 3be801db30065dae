import { hostname } from 'node:os';
import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import type { Response } from './response.ts';

/**
 * What a function measures of itself, under the names and labels of func's runtime for Node.js, which has them of
 * OpenTelemetry's conventions for functions.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #invocations = this.#counter('invocations', 'The number of times this function was invoked');
  readonly #errors = this.#counter('errors', 'The number of invocations that were answered with a 5xx');
  readonly #execution = this.#histogram('execution_latency', 'Seconds from an invocation to its answer');
  readonly #coldStart = this.#histogram('cold_start_latency', 'Seconds from the start of the process to its listening');

  constructor(name: string) {
    const { K_REVISION: version } = process.env;
    const labels = { faas_name: name, faas_instance: hostname(), faas_runtime: 'Node.js' };
    this.#registry.setDefaultLabels({ ...labels, ...(version !== undefined && { faas_version: version }) });
    collectDefaultMetrics({ register: this.#registry });
  }

  listening(): void {
    this.#coldStart.observe(process.uptime());
  }

  /** @returns to be called with the status that the invocation was answered with */
  invoked(): (status: number) => void {
    this.#invocations.inc();
    const measure = this.#execution.startTimer();
    return (status) => {
      measure();
      if (status >= 500) this.#errors.inc();
    };
  }

  async response(): Promise<Response> {
    const body = await this.#registry.metrics();
    return { status: 200, headers: { 'content-type': this.#registry.contentType }, body };
  }

  #counter(name: string, help: string): Counter {
    return new Counter({ name: `faas_${name}`, help, registers: [this.#registry] });
  }

  #histogram(name: string, help: string): Histogram {
    return new Histogram({ name: `faas_${name}`, help, registers: [this.#registry] });
  }
}
