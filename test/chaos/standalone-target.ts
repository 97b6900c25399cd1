import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type RedisServer, startRedis } from '../../support/redis/start-redis.ts';
import type { FaultKind } from './fault-kinds.ts';
import { stopProcess } from './faults.ts';
import { ServerClock } from './server-clock.ts';
import { commonMakers } from './server-faults.ts';
import type { Maker, Target } from './target.ts';
import { type Address, type Detours, detour, type Way } from './way.ts';

/** Nothing that was acknowledged is lost, also when the server is killed. */
const config = { appendonly: 'yes', appendfsync: 'always' };

/** One server with an append-only file, which can be stopped, killed, emptied and sent through time. */
export class StandaloneTarget implements Target {
  readonly kind = 'standalone';
  readonly description: string;
  readonly addresses: readonly Address[];
  readonly makers: Readonly<Partial<Record<FaultKind, Maker>>> = {
    ...commonMakers(async () => [await this.primary()]),
    freeze: ({ forMs }) => stopProcess(this.#server.pid as number, forMs),
    restart: ({ forMs }) => this.#restart({ keep: true, graceful: true, awayMs: forMs }),
    crash: ({ forMs }) => this.#restart({ keep: true, graceful: false, awayMs: forMs }),
    forget: ({ forMs }) => this.#restart({ keep: false, graceful: true, awayMs: forMs }),
    'clock-forward': ({ value = 0 }) => this.#shiftClock(value),
    'clock-back': ({ value = 0 }) => this.#shiftClock(-value),
  };
  readonly impossible: ReadonlyMap<FaultKind, string>;
  readonly #folder: string;
  readonly #clock: ServerClock | undefined;
  readonly #address: Address;
  readonly #redis: Redis;
  #server: RedisServer;
  #data: string;
  #lives = 1;

  private constructor(
    server: RedisServer,
    folder: string,
    data: string,
    clock: ServerClock | undefined,
    impossible: ReadonlyMap<FaultKind, string>,
  ) {
    this.#server = server;
    this.#folder = folder;
    this.#data = data;
    this.#clock = clock;
    this.impossible = impossible;
    const { hostname: host, port } = new URL(server.url);
    this.#address = { host, port: Number(port) };
    this.addresses = [this.#address];
    this.#redis = new Redis({ ...this.#address, maxRetriesPerRequest: null, retryStrategy: () => 50 });
    this.#redis.on('error', () => {});
    this.description = server.description;
  }

  /** The folder is for the server's data, and is deleted at the end. */
  static async start(folder: string): Promise<StandaloneTarget> {
    await mkdir(folder);
    const impossible = new Map<FaultKind, string>();
    let clock: ServerClock | undefined;
    try {
      clock = await ServerClock.make(join(folder, 'clock'));
    } catch (error) {
      const why = `no clock to set: ${(error as Error).message.split('\n')[0]}`;
      impossible.set('clock-forward', why).set('clock-back', why);
    }
    const data = join(folder, 'data-1');
    const server = await startWith(clock, () => startRedis({ own: true, config, dir: data }));
    if (server.pid === undefined) {
      const why = `the server is no process of this machine (${server.way})`;
      for (const kind of ['crash', 'freeze', 'clock-forward', 'clock-back'] as const) {
        impossible.set(kind, why);
      }
    }
    return new StandaloneTarget(server, folder, data, clock, impossible);
  }

  way(detours: Detours): Way {
    const { host, port } = detour(this.#address, detours);
    return { kind: 'standalone', url: `redis://${host}:${port}` };
  }

  primary(): Promise<Redis> {
    return Promise.resolve(this.#redis);
  }

  async stop(): Promise<void> {
    this.#redis.disconnect();
    await this.#server.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #shiftClock(ms: number): Promise<undefined> {
    this.#clock?.shift(ms);
  }

  async #restart({
    keep,
    graceful,
    awayMs,
  }: {
    keep: boolean;
    graceful: boolean;
    awayMs: number;
  }): Promise<undefined> {
    if (!graceful) process.kill(this.#server.pid as number, 'SIGKILL');
    await this.#server.stop();
    if (!keep) this.#data = join(this.#folder, `data-${++this.#lives}`);
    await sleep(awayMs);
    const options = { own: true, config, dir: this.#data, port: this.#address.port };
    this.#server = await startWith(this.#clock, () => startRedis(options));
  }
}

/** The server gets its environment from this process; the shim leaves every other program's clock alone. */
async function startWith<T>(clock: ServerClock | undefined, start: () => Promise<T>): Promise<T> {
  if (clock === undefined) return start();
  const before = { ...process.env };
  Object.assign(process.env, clock.env);
  try {
    return await start();
  } finally {
    for (const name of Object.keys(clock.env)) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  }
}
