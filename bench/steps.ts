import { EventEmitter, once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis, type RedisOptions } from 'ioredis';
import { type IoredisLike, type Permit, SemaphoreClient } from '../src/index.ts';
import { acquireScript } from '../src/redis/lua.generated.ts';
import { letReadersLeave } from '../support/let-readers-leave.ts';
import { startRedis } from '../support/redis/start-redis.ts';
import { nextQueued } from './next-queued.ts';
import { median } from './statistics.ts';

/*
 * Where the time of an acquire, a release and a hand-off goes: how long each step takes, seen from the client's sockets; and
 * which commands a pair costs the server, by its own counts. One process, so that all steps have the same clock; server and
 * clients share the machine.
 */

const help = `npm run steps

How long each step of an acquire, a release and a hand-off takes (medians of 2,000), and which commands the server executes for a
pair, alone and among others (INFO commandstats). On a Redis that it starts itself. Takes ten seconds.`;

async function main(): Promise<void> {
  await clientAlone();
  await using server = await startRedis({ own: true });
  console.log(`${server.description}\n`);
  await steps(server.url);
  const admin = new Redis(server.url);
  await commands(admin, server.url, 'one task, nobody else', {
    clients: 1,
    tasks: 1,
    limit: 1_000,
    holdMs: 0,
  });
  await commands(admin, server.url, '8 clients of one task, limit 2', {
    clients: 8,
    tasks: 1,
    limit: 2,
    holdMs: 5,
  });
  await commands(admin, server.url, '64 tasks of a client, limit 8', {
    clients: 1,
    tasks: 64,
    limit: 8,
    holdMs: 0,
  });
  admin.disconnect();
}

/** What is left when Redis and the network take no time at all: a connection that grants and releases at once. */
async function clientAlone(): Promise<void> {
  const connection = Object.assign(new EventEmitter(), {
    status: 'ready',
    options: {},
    info: async () => 'redis_version:7.0.0',
    async evalsha(sha: string): Promise<unknown> {
      const nowUs = Math.floor((performance.timeOrigin + performance.now()) * 1000);
      if (sha !== acquireScript.sha || isKnown) return nowUs;
      isKnown = true;
      return ['ok', nowUs, 1, 1_000, 1_000, 1, 0, 3, 'granted', nowUs, Math.floor(nowUs / 1000) + 30_000];
    },
    duplicate: () => connection,
    disconnect() {},
  });
  let isKnown = false;
  const client = new SemaphoreClient(connection as unknown as IoredisLike);
  const semaphore = client.semaphore('alone', { limit: 1_000 });
  const perPairUs: number[] = [];
  for (let round = 0; round < 20; round++) {
    const startMs = performance.now();
    for (let i = 0; i < 2_000; i++) await (await semaphore.acquire()).release();
    perPairUs.push((performance.now() - startMs) / 2);
  }
  console.log(
    `The client alone, with a connection that answers at once: ${median(perPairUs).toFixed(1)} µs a pair\n`,
  );
  await client.close();
}

/** When something last went out on a connection, and when something last came in. */
class Wire {
  readonly redis: Redis;
  sentAtMs = 0;
  heardAtMs = 0;

  constructor(redis: Redis) {
    this.redis = redis;
  }

  static async over(redis: Redis): Promise<Wire> {
    const wire = new Wire(redis);
    if (redis.status !== 'ready') await once(redis, 'ready');
    const socket = redis.stream as Socket;
    const { write } = socket;
    socket.write = (...args: unknown[]) => {
      const isTaken = Reflect.apply(write, socket, args);
      wire.sentAtMs = performance.now();
      return isTaken;
    };
    socket.prependListener('data', () => {
      wire.heardAtMs = performance.now();
    });
    return wire;
  }
}

/** A connection that tells of those made like it: the client makes its subscriber so. */
class Parent extends Redis {
  child: Redis | undefined;

  override duplicate(override?: Partial<RedisOptions>): Redis {
    this.child = super.duplicate(override);
    return this.child;
  }
}

class Times {
  readonly #of = new Map<string, number[]>();

  add(step: string, ms: number): void {
    const known = this.#of.get(step) ?? [];
    this.#of.set(step, known);
    known.push(ms);
  }

  print(title: string): void {
    console.log(title);
    for (const [step, ms] of this.#of) {
      console.log(`  ${step.padEnd(66)} ${`${(median(ms) * 1000).toFixed(0)} µs`.padStart(8)}`);
    }
    console.log();
  }
}

const rounds = 2_000;

async function steps(url: string): Promise<void> {
  const [here, there] = [new Parent(url), new Parent(url)];
  const clients = [here, there].map((redis) => new SemaphoreClient(redis));
  const [one, other] = clients.map((client) => client.semaphore('handed', { limit: 1 }));
  const own = await Wire.over(here);
  await other?.inspect(); // connected

  const alone = new Times();
  const watched = async <T>(what: string, call: () => Promise<T>): Promise<T> => {
    const startMs = performance.now();
    const result = await call();
    const endMs = performance.now();
    alone.add(`${what}: call to the last byte given to the socket`, own.sentAtMs - startMs);
    alone.add(`${what}: the server's work, and the ways there and back`, own.heardAtMs - own.sentAtMs);
    alone.add(`${what}: reply to the caller's next line`, endMs - own.heardAtMs);
    return result;
  };
  for (let i = 0; i < rounds; i++) await watched('SET', () => here.set('bare', i, 'PX', 30_000));
  for (let i = 0; i < rounds; i++) {
    const permit = (await watched('acquire', () => (one as NonNullable<typeof one>).acquire())) as Permit;
    await watched('release', () => permit.release());
  }
  alone.print('One task');

  const handed = new Times();
  let held = (await one?.acquire()) as Permit;
  const queued = nextQueued();
  const first = other?.acquire();
  await queued;
  const ear = await Wire.over(there.child as Redis);
  const back = await held.release().then(() => first);
  await back?.release();
  for (let i = 0; i < rounds; i++) {
    held = (await one?.acquire()) as Permit;
    const queued = nextQueued();
    const grantedAtMs = other?.acquire().then(async (permit) => [performance.now(), permit] as const);
    await queued;
    const startMs = performance.now();
    const released = held.release();
    const [atMs, permit] = (await grantedAtMs) as readonly [number, Permit];
    handed.add('release: call to the last byte given to the socket', own.sentAtMs - startMs);
    handed.add("the server's work, and the message's way", ear.heardAtMs - own.sentAtMs);
    handed.add('message to the next line of who waited', atMs - ear.heardAtMs);
    handed.add('in all', atMs - startMs);
    await released;
    await permit.release();
  }
  handed.print('A hand-off from one client to another');
  await Promise.all(clients.map((client) => client.close()));
  here.disconnect();
  there.disconnect();
}

interface Load {
  readonly clients: number;
  readonly tasks: number;
  readonly limit: number;
  readonly holdMs: number;
}

async function commands(admin: Redis, url: string, title: string, load: Load): Promise<void> {
  const clients = Array.from({ length: load.clients }, () => new SemaphoreClient(url));
  let pairs = 0;
  const endAtMs = performance.now() + 2_000;
  const tasks = clients.flatMap((client) => {
    const semaphore = client.semaphore(title, { limit: load.limit });
    return Array.from({ length: load.tasks }, async () => {
      while (performance.now() < endAtMs) {
        const permit = await semaphore.acquire();
        if (load.holdMs > 0) await sleep(load.holdMs);
        await permit.release();
        pairs++;
      }
    });
  });
  await sleep(500);
  await admin.config('RESETSTAT');
  const before = pairs;
  await Promise.all(tasks);
  const counted = pairs - before;
  const stats = [...(await admin.info('commandstats')).matchAll(/cmdstat_(\w+):calls=(\d+),usec=(\d+)/g)];
  console.log(`${title}: commands a pair, and microseconds a call`);
  for (const [, name = '', calls, us] of stats.sort((a, b) => Number(b[3]) - Number(a[3]))) {
    const each = (Number(us) / Number(calls)).toFixed(1);
    const share = Number(calls) / counted;
    if (share > 0.01) console.log(`  ${name.padEnd(20)} ${share.toFixed(2).padStart(6)} ${each.padStart(8)}`);
  }
  console.log();
  await Promise.all(clients.map((client) => client.close()));
}

letReadersLeave();

if (process.argv.includes('--help')) {
  console.log(help);
} else {
  await main();
}
