import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext, type SecureContext, TLSSocket, connect as tlsConnect } from 'node:tls';
import type { Certificate } from './certificate.ts';

/** Requests go to the server; replies and messages come from it. */
export type Direction = 'requests' | 'replies';

/** What happens to the bytes of one direction: kept back, lost, or delivered so many ms late. */
type Fault = 'hold' | 'swallow' | number;

/** The next reply that is lost, and how often something was asked. */
interface Watchers {
  readonly traps: Set<{ readonly text: string; sprung(): void }>;
  readonly counters: Set<{ readonly text: string; count: number }>;
}

/** One server, and where the proxy listens for it. */
interface Door {
  readonly listener: Server;
  readonly target: URL;
  readonly url: string;
}

export interface FaultProxyOptions {
  /** Another proxy of the same client; a reply that is to be lost is then lost at whichever it comes by first. */
  readonly partner?: FaultProxy | undefined;
  /** For `rediss:` targets: what they show, and what the proxy shows in its turn. */
  readonly certificate?: Certificate | undefined;
}

/**
 * Stands in front of one or more servers and does to its connections what networks do: cuts them, refuses new ones, slows them
 * down, holds bytes back, falls silent in one direction, loses one reply. What is done to the proxy happens to every
 * connection, those that come later included; what is done to one of its `connections` happens to that one.
 *
 * It knows nothing of Redis's protocol: bytes pass as they come, in their order.
 */
export class FaultProxy {
  /** Where it stands in for each of its targets, in their order. */
  readonly urls: readonly string[];
  /** Those that are open now, oldest first. */
  readonly connections = new Set<ProxiedConnection>();
  /** How many there have been. */
  accepted = 0;

  readonly #doors: readonly Door[];
  readonly #certificate: Certificate | undefined;
  readonly #context: SecureContext | undefined;
  readonly #faults = new Map<Direction, Fault>();
  readonly #watchers: Watchers;
  #refusing = false;

  private constructor(doors: readonly Door[], { partner, certificate }: FaultProxyOptions) {
    this.#watchers = partner ? partner.#watchers : { traps: new Set(), counters: new Set() };
    this.#certificate = certificate;
    this.#context = certificate && createSecureContext(certificate);
    this.#doors = doors;
    this.urls = doors.map(({ url }) => url);
    for (const door of doors) {
      door.listener.on('connection', (client) => this.#accept(client, door.target));
    }
  }

  /** @param targets one url, or those of several servers of one group */
  static async before(
    targets: string | readonly string[],
    options: FaultProxyOptions = {},
  ): Promise<FaultProxy> {
    return new FaultProxy(await Promise.all([targets].flat().map(openDoor)), options);
  }

  /** Where it stands in for its first target. */
  get url(): string {
    return this.urls[0] as string;
  }

  /** All open connections whose client began with this text. */
  connectionsOf(text: string): ProxiedConnection[] {
    return [...this.connections].filter((connection) => connection.beginning.includes(text));
  }

  /** The latest open connection whose client began with this text, for instance its name. */
  connectionOf(text: string): ProxiedConnection | undefined {
    return this.connectionsOf(text).at(-1);
  }

  /** Ends every connection at once. What the server was sent before, it executes. */
  cut(): void {
    for (const connection of this.connections) {
      connection.cut();
      this.connections.delete(connection); // its own end is heard of only later
    }
  }

  /** New connections end at once, until `resume`. */
  refuse(): void {
    this.#refusing = true;
  }

  /** As if the server were away: `cut` and `refuse`. */
  goAway(): void {
    this.refuse();
    this.cut();
  }

  /** Keeps what comes, to deliver it in its order on `resume`. */
  hold(direction: Direction): void {
    this.#set(direction, 'hold');
  }

  /** Loses what comes, while the connection stays open and does not know; on `resume` it breaks, as TCP's do. */
  swallow(direction: Direction): void {
    this.#set(direction, 'swallow');
  }

  /** Delivers what comes so many ms later. */
  delay(direction: Direction, ms: number): void {
    this.#set(direction, ms);
  }

  /** No faults any more: what was held is delivered, connections are accepted. */
  resume(): void {
    this.#refusing = false;
    this.#faults.clear();
    for (const connection of this.connections) connection.resume();
  }

  /**
   * Loses the reply to the next request that contains this text (a script's hash, a command) and what is sent behind it, and
   * ends that connection. Resolves when it has happened: the server has executed the request then.
   */
  dropReplyTo(text: string): Promise<void> {
    return new Promise((sprung) => this.#watchers.traps.add({ text, sprung }));
  }

  /** Forgets the replies that were still to be lost. */
  disarm(): void {
    this.#watchers.traps.clear();
  }

  /** Counts from now on how many requests with this text the clients have sent. */
  count(text: string): { readonly count: number } {
    const counter = { text, count: 0 };
    this.#watchers.counters.add(counter);
    return counter;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = this.#doors.map(({ listener }) => once(listener.close(), 'close'));
    this.goAway();
    await Promise.all(closed);
    for (const { url } of this.#doors) {
      if (url.startsWith('unix:')) rmSync(new URL(url).pathname, { force: true });
    }
  }

  #accept(socket: Socket, target: URL): void {
    if (this.#refusing) {
      if (target.protocol === 'unix:')
        socket.destroy(); // only TCP's can be reset
      else socket.resetAndDestroy();
      return;
    }
    const client = this.#context
      ? new TLSSocket(
          socket.on('error', () => {}),
          { isServer: true, secureContext: this.#context },
        )
      : socket;
    const connection = new ProxiedConnection(client, this.#reach(target), this.#watchers);
    for (const [direction, fault] of this.#faults) connection.set(direction, fault);
    this.accepted++;
    this.connections.add(connection);
    client.once('close', () => this.connections.delete(connection));
  }

  #reach({ protocol, hostname, port, pathname }: URL): Socket {
    const address = { host: hostname, port: Number(port || 6379) };
    if (protocol === 'unix:') return connect(pathname);
    return protocol === 'rediss:'
      ? tlsConnect({ ...address, ...(this.#certificate && { ca: this.#certificate.ca }) })
      : connect(address);
  }

  #set(direction: Direction, fault: Fault): void {
    this.#faults.set(direction, fault);
    for (const connection of this.connections) connection.set(direction, fault);
  }
}

let lastSocketNo = 0;

/** Listens on loopback, or where the target is a socket in the file system, on another such socket. */
async function openDoor(target: string): Promise<Door> {
  const url = new URL(target);
  const listener = createServer();
  if (url.protocol === 'unix:') {
    url.pathname = join(tmpdir(), `parkade-proxy-${process.pid}-${++lastSocketNo}.sock`);
    listener.listen(url.pathname);
  } else {
    listener.listen(0, '127.0.0.1');
  }
  await once(listener, 'listening');
  if (url.protocol !== 'unix:') url.host = `127.0.0.1:${(listener.address() as AddressInfo).port}`;
  return { listener, target: new URL(target), url: url.href };
}

/** One connection through the proxy. */
export class ProxiedConnection {
  /** The first of what its client has sent. */
  beginning = '';

  readonly #client: Socket;
  readonly #lanes: Record<Direction, Lane>;
  readonly #watchers: Watchers;
  #sprung: (() => void) | undefined;

  constructor(client: Socket, server: Socket, watchers: Watchers) {
    this.#client = client;
    this.#watchers = watchers;
    this.#lanes = { requests: new Lane(server), replies: new Lane(client) };
    for (const socket of [client, server]) socket.setNoDelay(true).on('error', () => {});
    client.on('data', (bytes: Buffer) => this.#onRequests(bytes));
    server.on('data', (bytes: Buffer) => this.#onReplies(bytes));
    // The server's side is ended, not destroyed: it executes first what has arrived.
    client.once('close', () => server.end());
    server.once('close', () => client.destroy());
  }

  cut(): void {
    this.#client.destroy();
  }

  hold(direction: Direction): void {
    this.set(direction, 'hold');
  }

  swallow(direction: Direction): void {
    this.set(direction, 'swallow');
  }

  resume(): void {
    if (this.#lanes.requests.hasHole || this.#lanes.replies.hasHole) this.cut();
    this.set('requests', 0);
    this.set('replies', 0);
  }

  /** @internal */
  set(direction: Direction, fault: Fault): void {
    this.#lanes[direction].obey(fault);
  }

  #onRequests(bytes: Buffer): void {
    const text = bytes.toString('latin1');
    if (this.beginning.length < 1_000) this.beginning += text;
    for (const counter of this.#watchers.counters) counter.count += text.split(counter.text).length - 1;
    if (this.#sprung !== undefined) return; // lost with the connection that ends soon
    for (const trap of this.#watchers.traps) {
      if (text.includes(trap.text)) {
        this.#watchers.traps.delete(trap);
        this.#sprung = trap.sprung;
      }
    }
    this.#lanes.requests.take(bytes);
  }

  #onReplies(bytes: Buffer): void {
    if (this.#sprung === undefined) {
      this.#lanes.replies.take(bytes);
    } else {
      this.cut();
      this.#sprung();
    }
  }
}

/** One direction of one connection. */
class Lane {
  /** Something was lost: what comes after it cannot be understood. */
  hasHole = false;

  readonly #to: Socket;
  readonly #kept: Buffer[] = [];
  #fault: Fault = 0;

  constructor(to: Socket) {
    this.#to = to;
  }

  obey(fault: Fault): void {
    this.#fault = fault;
    if (fault === 0) this.#deliver(this.#kept.length);
  }

  take(bytes: Buffer): void {
    if (this.#fault === 'swallow') {
      this.hasHole = true;
      return;
    }
    this.#kept.push(bytes);
    if (this.#fault === 0) this.#deliver(this.#kept.length);
    else if (this.#fault !== 'hold') {
      setTimeout(() => this.#deliver(this.#kept.indexOf(bytes) + 1), this.#fault);
    }
  }

  #deliver(count: number): void {
    for (const bytes of this.#kept.splice(0, count)) {
      if (this.#to.writable) this.#to.write(bytes);
    }
  }
}
