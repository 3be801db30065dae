import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { makeRandom } from './random.ts';

const FAULTS = ['drop', 'delay', 'cut', 'duplicate', 'close'] as const;
export type Fault = (typeof FAULTS)[number];

/** Stands between client and server and mistreats one chunk in `oneIn`, in either direction. */
export class FaultyProxy implements AsyncDisposable {
  readonly counts: Record<Fault, number> = { drop: 0, delay: 0, cut: 0, duplicate: 0, close: 0 };
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #random: () => number;
  readonly #oneIn: number;

  private constructor(path: string, { seed, oneIn }: { seed: number; oneIn: number }) {
    this.#random = makeRandom(seed);
    this.#oneIn = oneIn;
    this.#server = createServer((client) => {
      const server = connect(path);
      this.#pipe(client, server);
      this.#pipe(server, client);
    });
  }

  static async start(path: string, options: { seed: number; oneIn: number }): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(path, options);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get remote(): string {
    return `tcp:127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #pipe(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    const end = (): void => {
      this.#sockets.delete(from);
      to.destroy();
    };
    from.on('error', end).on('close', end);
    from.on('data', (chunk: Buffer) => {
      if (this.#random() * this.#oneIn >= 1) to.write(chunk);
      else this.#mistreat(chunk, from, to);
    });
  }

  #mistreat(chunk: Buffer, from: Socket, to: Socket): void {
    const fault = FAULTS[Math.floor(this.#random() * FAULTS.length)]!;
    const somewhere = Math.floor(this.#random() * chunk.length);
    this.counts[fault]++;
    switch (fault) {
      case 'drop':
        return;
      case 'delay':
        from.pause();
        setTimeout(() => {
          to.write(chunk);
          from.resume();
        }, this.#random() * 500);
        return;
      case 'cut':
        to.end(chunk.subarray(0, somewhere));
        return;
      case 'duplicate':
        to.write(chunk.subarray(0, somewhere));
        to.write(chunk);
        return;
      case 'close':
        from.destroy();
        to.destroy();
        return;
    }
  }
}
