import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { TemporaryDirectory } from './server.ts';

/** Stands between client and server and holds answers to a method back while it is told to. */
export class HoldingProxy implements AsyncDisposable {
  /** The method whose answers are held back, and all that comes after them on the connection. */
  held: string | undefined;
  readonly remote: string;
  readonly #directory = new TemporaryDirectory();
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #release = Promise.withResolvers<void>();

  private constructor(path: string) {
    const own = join(this.#directory.path, 'socket');
    this.remote = `unix:${own}`;
    this.#server = createServer((client) => this.#join(client, connect(path))).listen(own);
  }

  static async start(remote: string): Promise<HoldingProxy> {
    const proxy = new HoldingProxy(remote.slice('unix:'.length));
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** Lets go what is held back. */
  release(): void {
    this.held = undefined;
    this.#release.resolve();
    this.#release = Promise.withResolvers();
  }

  /** Ends all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
    this.#directory[Symbol.dispose]();
  }

  #join(client: Socket, server: Socket): void {
    client.on('data', (chunk: Buffer) => {
      if (this.held !== undefined && chunk.includes(`"method":"${this.held}"`)) {
        server.pause();
        void this.#release.promise.then(() => server.resume());
      }
      server.write(chunk);
    });
    server.on('data', (chunk) => client.write(chunk));
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(one);
      one.on('error', () => undefined);
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }
}
