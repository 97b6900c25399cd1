import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { StoreReply, StoreRequest } from './guarded-store.ts';

/** A worker's way to the guarded store. Replies come in the order of the requests. */
export class StoreClient {
  readonly #socket: Socket;
  readonly #waiting: ((reply: StoreReply) => void)[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => {});
    // Errors of the socket are repeated by its lines.
    createInterface({ input: socket })
      .on('error', () => {})
      .on('line', (line) => this.#waiting.shift()?.(JSON.parse(line) as StoreReply));
  }

  static async connect(port: number): Promise<StoreClient> {
    const socket = connect(port, '127.0.0.1').setNoDelay(true);
    await once(socket, 'connect');
    return new StoreClient(socket);
  }

  ask(request: StoreRequest): Promise<StoreReply> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#socket.write(`${JSON.stringify(request)}\n`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}
