import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RedisServer, startRedis } from '../../support/redis/start-redis.ts';
import type { FaultKind } from './fault-kinds.ts';
import { ServerClock } from './server-clock.ts';
import type { Target } from './target.ts';

/** Nothing that was acknowledged is lost, also when the server is killed. */
const config = { appendonly: 'yes', appendfsync: 'always' };

/** One server with an append-only file, which can be stopped, killed, emptied and sent through time. */
export class StandaloneTarget implements Target {
  readonly description: string;
  readonly url: string;
  readonly impossible: ReadonlyMap<FaultKind, string>;
  readonly #folder: string;
  readonly #clock: ServerClock | undefined;
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
    this.url = server.url;
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

  async restart({
    keep,
    graceful,
    awayMs,
  }: {
    keep: boolean;
    graceful: boolean;
    awayMs: number;
  }): Promise<void> {
    if (!graceful) process.kill(this.pid() as number, 'SIGKILL');
    await this.#server.stop();
    if (!keep) this.#data = join(this.#folder, `data-${++this.#lives}`);
    await sleep(awayMs);
    const port = Number(new URL(this.url).port);
    const options = { own: true, config, dir: this.#data, port };
    this.#server = await startWith(this.#clock, () => startRedis(options));
  }

  shiftClock(ms: number): void {
    this.#clock?.shift(ms);
  }

  pid(): number | undefined {
    return this.#server.pid;
  }

  async stop(): Promise<void> {
    await this.#server.stop();
    await rm(this.#folder, { recursive: true, force: true });
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
