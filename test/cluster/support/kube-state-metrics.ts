import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Background } from '../../../lab/background.ts';
import { binary } from '../../../lab/cluster/binaries.ts';
import { freePort } from '../../../lab/free-port.ts';

const CONFIG = fileURLToPath(new URL('../../../eventing/components/metrics/kube-state-metrics.yaml', import.meta.url));

/** kube-state-metrics itself, with the config that we ship. */
export class KubeStateMetrics implements AsyncDisposable {
  readonly address: string;
  readonly #process: Background;

  /** @param directory where it may leave its log */
  static async start(kubeconfig: string, directory: string): Promise<KubeStateMetrics> {
    const [port, telemetry] = [await freePort(), await freePort()];
    const args = [
      `--kubeconfig=${kubeconfig}`,
      `--custom-resource-state-config-file=${CONFIG}`,
      '--custom-resource-state-only',
      ...[`--port=${port}`, `--telemetry-port=${telemetry}`, '--host=127.0.0.1', '--telemetry-host=127.0.0.1'],
    ];
    const log = join(directory, 'kube-state-metrics.log');
    const process = new Background({ file: binary('kube-state-metrics'), args, env: {} }, log);
    return new KubeStateMetrics(`127.0.0.1:${port}`, process);
  }

  private constructor(address: string, process: Background) {
    this.address = address;
    this.#process = process;
  }

  /** What it tells now, in Prometheus' text format; nothing while it does not answer. */
  async metrics(): Promise<string> {
    return await fetch(`http://${this.address}/metrics`).then(
      (response) => response.text(),
      () => '',
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop(5_000);
  }
}
