import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import type { KubeConfig } from '@kubernetes/client-node';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Any request to the API server as the user of a kubeconfig, also one that no client library would make. */
export class ApiClient implements Disposable {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 });
  readonly #config: KubeConfig;

  constructor(config: KubeConfig) {
    this.#config = config;
  }

  async send(method: string, path: string, headers: Record<string, string> = {}, body?: string): Promise<Answer> {
    const options = { method, agent: this.#agent, headers };
    await this.#config.applyToHTTPSOptions(options);
    const sent = request(`${this.#config.getCurrentCluster()?.server}${path}`, options);
    sent.end(body);
    const [response] = await once(sent, 'response');
    const said = await text(response);
    const isJson = String(response.headers['content-type']).startsWith('application/json');
    return { status: response.statusCode, body: isJson && said !== '' ? JSON.parse(said) : said };
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
