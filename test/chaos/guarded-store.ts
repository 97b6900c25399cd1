import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { nowUs, type StoreEvent } from './history.ts';

/** What a worker asks the store; answered in order. */
export type StoreRequest =
  | { op: 'enter'; permit: string; token: number; weight: number }
  | { op: 'write' | 'leave'; permit: string };

/** `neighbour`: somebody else's permit that is inside, if there is any. */
export interface StoreReply {
  readonly ok: boolean;
  readonly neighbour?: string;
}

interface Insider {
  readonly permit: string;
  readonly token: number;
  readonly weight: number;
  readonly socket: Socket;
}

/**
 * The resource that the semaphore guards. It knows nothing of Redis, of leases or of faults: it counts the weight that
 * is inside at once, and goes by the fencing tokens. Where not all fit, those with the lowest tokens are out: they are
 * refused at the door or, if they are inside already, evicted, and what they write afterwards is refused.
 *
 * Who enters or leaves waits for the answer, so whatever is inside at once was held at once, or is stale.
 */
export class GuardedStore {
  readonly port: number;
  /** How many units fit. */
  limit: number;

  readonly #server: Server;
  readonly #log: (event: StoreEvent) => void;
  readonly #sockets = new Set<Socket>();
  readonly #inside = new Map<string, Insider>();

  private constructor(server: Server, limit: number, log: (event: StoreEvent) => void) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    this.limit = limit;
    this.#log = log;
    server.on('connection', (socket) => this.#serve(socket));
  }

  static async open(limit: number, log: (event: StoreEvent) => void): Promise<GuardedStore> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new GuardedStore(server, limit, log);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket.setNoDelay(true));
    socket.on('error', () => {});
    // Errors of the socket are repeated by its lines.
    createInterface({ input: socket })
      .on('error', () => {})
      .on('line', (line) => {
        const reply = this.#answer(JSON.parse(line) as StoreRequest, socket);
        if (socket.writable) socket.write(`${JSON.stringify(reply)}\n`);
      });
    socket.once('close', () => {
      this.#sockets.delete(socket);
      for (const insider of [...this.#inside.values()]) {
        if (insider.socket === socket) this.#leave(insider.permit);
      }
    });
  }

  #answer(request: StoreRequest, socket: Socket): StoreReply {
    switch (request.op) {
      case 'enter':
        return this.#enter({ ...request, socket });
      case 'write':
        return this.#inside.has(request.permit) ? { ok: true } : this.#refuse(request.permit, 'write');
      case 'leave':
        return { ok: this.#leave(request.permit) };
    }
  }

  #enter(comer: Insider): StoreReply {
    const lower: Insider[] = [];
    let weight = comer.weight;
    const byToken = [...this.#inside.values()].sort((a, b) => b.token - a.token);
    for (const insider of byToken) {
      weight += insider.weight;
      if (weight > this.limit) lower.push(insider);
    }
    if (lower.some(({ token }) => token > comer.token)) {
      return this.#refuse(comer.permit, 'enter');
    }
    for (const { permit } of lower) this.#inside.delete(permit);
    const [neighbour] = [...this.#inside.values()].filter(({ socket }) => socket !== comer.socket);
    this.#inside.set(comer.permit, comer);
    this.#log({
      kind: 'store entered',
      at: nowUs(),
      permit: comer.permit,
      weight: comer.weight,
      inside: [...this.#inside.values()].reduce((sum, insider) => sum + insider.weight, 0),
      evicted: lower.map(({ permit }) => permit),
    });
    return { ok: true, ...(neighbour && { neighbour: neighbour.permit }) };
  }

  #refuse(permit: string, doing: 'enter' | 'write'): StoreReply {
    this.#log({ kind: 'store refused', at: nowUs(), permit, doing });
    return { ok: false };
  }

  #leave(permit: string): boolean {
    const was = this.#inside.delete(permit);
    if (was) this.#log({ kind: 'store left', at: nowUs(), permit });
    return was;
  }
}
