import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { redisConf } from './job.ts';
import { nodeArgs } from './watched.ts';
import { candidateOf, candidates, NothingThere, parseReleasePackage } from './ways.ts';

/** What one server of a fleet is started with. */
export interface NodeSpec {
  /** Its folder's name; a restart finds the folder as it was left. */
  readonly name: string;
  /** Lines of redis.conf by their names. */
  readonly config: Record<string, string>;
  /** Whether it is a sentinel. */
  readonly sentinel?: boolean;
  /** Whether it is a Cluster node, which needs a second port. */
  readonly bus?: boolean;
}

/** The program that runs all servers of a fleet. */
export interface ServerProgram {
  readonly command: string;
  /** What comes before the server's own arguments. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** One line for humans: where it came from. */
  readonly from: string;
}

/** What the fleet's watchdog is asked to start. */
export interface Order {
  readonly id: number;
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly readyLine: string;
  readonly config: Record<string, string>;
  readonly port: number | undefined;
  /** Files that must be in its folder, by name; those that are there already stay. */
  readonly files: Readonly<Record<string, string>>;
  readonly bus: boolean;
}

/** What became of an order. */
export type Delivery =
  | { readonly id: number; readonly port: number; readonly pid: number }
  | { readonly id: number; readonly failed: string };

/**
 * The redis-server (or valkey-server) of which a fleet can be made: one from the PATH, else the distribution's
 * package, as `startRedis` finds them. A fleet kills and stops its servers, so Docker and WebAssembly won't do.
 *
 * @throws an error that says why there is none
 */
export async function serverProgram(): Promise<ServerProgram> {
  const forced = process.env['PARKADE_REDIS'];
  const wanted = parseReleasePackage(forced);
  if (wanted) {
    const { job, from } = await candidateOf(wanted, { config: {}, port: undefined, dir: undefined });
    return { command: job.command, args: job.args.slice(0, -1), env: job.env, from };
  }
  if (forced && forced !== 'path' && forced !== 'debian') {
    throw new NothingThere(`PARKADE_REDIS=${forced} has no redis-server that can be started several times`);
  }
  const reasons: string[] = [];
  for (const way of ['path', 'debian'] as const) {
    if (forced && forced !== way) continue;
    try {
      const [offer] = await candidates[way]({ config: {}, port: undefined, dir: undefined });
      if (offer && 'job' in offer && offer.job.kind === 'process') {
        return { command: offer.job.command, args: [], env: offer.job.env, from: offer.from };
      }
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new NothingThere(reasons.join('; '));
}

const readyLine = 'Ready to accept connections';

/** Several servers on loopback under one watchdog; they live no longer than this process. */
export class Fleet {
  readonly program: ServerProgram;
  readonly #watchdog: ChildProcess;
  readonly #exited: Promise<number | null>;
  readonly #waiting = new Map<number, (delivery: Delivery) => void>();
  readonly #nodes: FleetNode[] = [];
  #lastId = 0;
  #errors = '';

  private constructor(program: ServerProgram, watchdog: ChildProcess) {
    this.program = program;
    this.#watchdog = watchdog;
    this.#exited = once(watchdog, 'exit').then(([code]) => code as number | null);
    watchdog.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      this.#errors += chunk;
    });
    watchdog.on('message', (delivery: Delivery) => {
      this.#waiting.get(delivery.id)?.(delivery);
      this.#waiting.delete(delivery.id);
      if (this.#waiting.size === 0) this.#letGo();
    });
    this.#letGo();
    void this.#exited.then(() => {
      for (const [id, settle] of this.#waiting) settle({ id, failed: `the watchdog ended: ${this.#errors}` });
    });
  }

  /** @throws as `serverProgram` */
  static async open(): Promise<Fleet> {
    const program = await serverProgram();
    const watchdog = fork(fileURLToPath(new URL('fleet-watchdog.ts', import.meta.url)), {
      detached: true,
      execArgv: [...nodeArgs],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    (watchdog.stderr as Socket | null)?.unref();
    return new Fleet(program, watchdog);
  }

  /** @throws with the server's own last words, if it doesn't get ready */
  async launch(spec: NodeSpec): Promise<FleetNode> {
    const { port, pid } = await this.#order(spec, undefined);
    const node = new FleetNode(spec, port, pid, async () => (await this.#order(spec, port)).pid);
    this.#nodes.push(node);
    return node;
  }

  /** Ends all servers, deletes their folders and closes the connections to them. May be called again. */
  async stop(): Promise<void> {
    for (const node of this.#nodes) node.redis.disconnect();
    this.#watchdog.ref();
    if (this.#watchdog.connected) this.#watchdog.disconnect();
    if ((await this.#exited) !== 0) throw new Error(`Servers may be left over: ${this.#errors}`);
  }

  /** Lets this process end while the watchdog runs. */
  #letGo(): void {
    this.#watchdog.unref();
    this.#watchdog.channel?.unref();
  }

  async #order(spec: NodeSpec, port: number | undefined): Promise<{ port: number; pid: number }> {
    const { name, config, sentinel = false, bus = false } = spec;
    const { command, args, env } = this.program;
    const id = ++this.#lastId;
    const delivery = await new Promise<Delivery>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#watchdog.ref();
      this.#watchdog.channel?.ref();
      const order = { id, name, command, env, port, bus };
      const server: Order = { ...order, args: [...args, '-'], readyLine, config, files: {} };
      // A sentinel keeps what it knows in a file, which it rewrites; only its port comes on stdin.
      const files = { 'sentinel.conf': redisConf(config) };
      const guard: Order = {
        ...order,
        args: [...args, 'sentinel.conf', '--sentinel', '-'],
        readyLine: 'Sentinel ID is',
        config: {},
        files,
      };
      this.#watchdog.send(sentinel ? guard : server);
    });
    if ('failed' in delivery) throw new Error(`${name}: ${delivery.failed}`);
    return delivery;
  }
}

/** One server of a fleet, to be looked at and to be hurt. */
export class FleetNode {
  readonly name: string;
  readonly port: number;
  readonly url: string;
  /** A connection to it beside those of the test; comes back by itself. */
  readonly redis: Redis;
  readonly #restart: () => Promise<number>;
  #pid: number;
  #isPaused = false;

  /** @internal */
  constructor(spec: NodeSpec, port: number, pid: number, restart: () => Promise<number>) {
    this.name = spec.name;
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
    this.#pid = pid;
    this.#restart = restart;
    this.redis = new Redis(port, '127.0.0.1', {
      enableReadyCheck: false, // a sentinel and a replica in the middle of its sync are to be heard too
      maxRetriesPerRequest: null,
      connectTimeout: 1_000,
      retryStrategy: () => 50,
    });
    this.redis.on('error', () => {});
  }

  get pid(): number {
    return this.#pid;
  }

  /** Whether it runs, and is not paused. */
  get isRunning(): boolean {
    return !this.#isPaused && this.#exists();
  }

  /** As a crash: nothing is said, nothing saved. Resolves when the process is gone. */
  async kill(): Promise<void> {
    if (this.#exists()) process.kill(this.#pid, 'SIGKILL');
    while (this.#exists()) await sleep(2);
    this.#isPaused = false;
  }

  /** As a machine that hangs: its connections stay open and nothing answers. */
  pause(): void {
    process.kill(this.#pid, 'SIGSTOP');
    this.#isPaused = true;
  }

  resume(): void {
    process.kill(this.#pid, 'SIGCONT');
    this.#isPaused = false;
  }

  /** After `kill`: on its port and with its folder, where a Cluster node or a sentinel finds who it was. */
  async restart(): Promise<void> {
    this.#pid = await this.#restart();
  }

  #exists(): boolean {
    try {
      process.kill(this.#pid, 0);
      return true;
    } catch {
      return false;
    }
  }
}
