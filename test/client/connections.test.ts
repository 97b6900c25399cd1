import { Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis-5';
import { Redis as Valkey } from 'iovalkey';
import { createClient, createClientPool, RESP_TYPES } from 'redis';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { IoredisLike, NodeRedisLike } from '../../src/index.ts';
import { keysOf } from '../../src/redis/keys.ts';
import { resizeScript } from '../../src/redis/lua.generated.ts';
import { expectFree, openClient, openClients, openProxy, openRedis } from '../support/clients.ts';
import { monitor } from '../support/monitor.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { until, watch } from '../support/until.ts';

refuseStrayErrors();

interface Borrowed {
  readonly redis: IoredisLike | NodeRedisLike;
  isReady(): boolean;
  ping(): Promise<string>;
  listenerCount(event: string): number;
  end(): void;
}

/** Both libraries take these options; each knows more in its types than the other. */
const six = (options: object) => asBorrowed(new Redis(redisUrl(), options));
const five = (options: object) => asBorrowed(new Redis5(redisUrl(), options) as unknown as Redis);
/** Its own type is taken as it is. */
function valkey(options: object): Borrowed {
  const redis = new Valkey(redisUrl(), options);
  return { ...asBorrowed(redis as unknown as Redis), redis };
}
const asBorrowed = (redis: Redis): Borrowed => ({
  redis,
  isReady: () => redis.status === 'ready',
  ping: () => redis.ping(),
  listenerCount: (event) => redis.listenerCount(event),
  end: () => redis.disconnect(),
});

/** @param opened whether its owner opens it, or the first call does */
function nodeRedis(options: Parameters<typeof createClient>[0], opened = true): Borrowed {
  const redis = createClient({ url: redisUrl(), ...options });
  redis.on('error', () => {});
  if (opened) redis.connect().catch(() => {});
  return {
    redis,
    isReady: () => redis.isReady,
    ping: () => redis.ping().then(String),
    listenerCount: (event) => redis.listenerCount(event),
    end: () => redis.destroy(),
  };
}

const kinds: readonly [string, () => Borrowed][] = [
  ['ioredis 6', () => six({})],
  ['ioredis 6, RESP2', () => six({ protocol: 2 })],
  ['ioredis 6, RESP3', () => six({ protocol: 3 })],
  ['ioredis 6 with stringNumbers', () => six({ stringNumbers: true })],
  ['ioredis 6 with keyPrefix', () => six({ keyPrefix: 'app:' })],
  ['ioredis 6 with another database', () => six({ db: 3 })],
  ['ioredis 6 with lazyConnect', () => six({ lazyConnect: true })],
  ['ioredis 6 with enableAutoPipelining', () => six({ enableAutoPipelining: true })],
  ['ioredis 6 that gives up early', () => six({ maxRetriesPerRequest: 0, enableOfflineQueue: false })],
  ['ioredis 5', () => five({})],
  ['ioredis 5 with keyPrefix', () => five({ keyPrefix: 'app:' })],
  ['ioredis 5 with stringNumbers', () => five({ stringNumbers: true })],
  ['ioredis 5 with lazyConnect', () => five({ lazyConnect: true })],
  ['ioredis 5 with enableAutoPipelining', () => five({ enableAutoPipelining: true })],
  ['iovalkey', () => valkey({})],
  ['iovalkey with keyPrefix', () => valkey({ keyPrefix: 'app:' })],
  ['node-redis 6', () => nodeRedis({})],
  ['node-redis 6, RESP2', () => nodeRedis({ RESP: 2 })],
  ['node-redis 6, RESP3', () => nodeRedis({ RESP: 3 })],
  ['node-redis 6 with keyPrefix', () => nodeRedis({ keyPrefix: 'app:' })],
  ['node-redis 6 with another database', () => nodeRedis({ database: 3 })],
  ['node-redis 6 that nobody has opened', () => nodeRedis({}, false)],
  ['node-redis 6 without a queue', () => nodeRedis({ disableOfflineQueue: true })],
  [
    'node-redis 6 with replies as buffers',
    () =>
      nodeRedis({
        commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.NUMBER]: String } },
      }),
  ],
];

describe.each(kinds)('a borrowed connection of %s', (_kind, make) => {
  function borrow(): Borrowed {
    const borrowed = make();
    onTestFinished(() => borrowed.end());
    return borrowed;
  }

  it('has each call made once, also where numbers come as strings', async () => {
    const prefix = uniquePrefix();
    const semaphore = openClient({ prefix, connection: borrow().redis }).semaphore('api', { limit: 2 });
    await (await semaphore.acquire()).release();
    await semaphore.resize(2); // the server knows the scripts from now on
    const scripts: string[] = [];
    await monitor(redisUrl(), (line) => {
      if (/"eval(sha)?"/i.test(line) && line.includes(prefix)) scripts.push(line);
    });
    for (const _ of [1, 2]) {
      await using permit = await semaphore.acquire();
      expect(permit.isHeld).toBe(true);
    }
    await semaphore.resize(3);
    await until('all is seen', () => scripts.some((line) => line.includes(resizeScript.sha)));
    expect(scripts).toHaveLength(5);
  });

  it('carries all that a semaphore does', async () => {
    const prefix = uniquePrefix();
    // No beat in the time of this test: the waiter is served by message.
    const options = { limit: 1, leaseMs: 300_000 };
    const [one, two] = [
      openClient({ prefix, connection: borrow().redis, presenceMs: 60_000 }),
      openClient({ prefix, connection: borrow().redis, presenceMs: 60_000 }),
    ];
    const held = await one.semaphore('api', options).acquire();
    expect(await two.semaphore('api', options).tryAcquire()).toBeNull();
    const request = watch(two.semaphore('api', options).acquire());
    await until('it waits', async () => (await one.inspect('api')).waiting === 1);
    await held.renew(50_000);
    expect(held.expiresInMs).toBeGreaterThan(40_000);
    expect(await held.release()).toBe(true);
    expect(await held.release()).toBe(false);
    const permit = await until('it is served', () => request.value);
    expect(permit.fencingToken).toBeGreaterThan(held.fencingToken);
    expect(await one.inspect('api')).toMatchObject({
      held: 1,
      holders: [{ id: permit.id, client: two.id, weight: 1 }],
    });
    await permit.release();
    await one.semaphore('api', options).resize(2);
    await expectFree(two, 'api', 2);
  });

  it('stays open when the client closes, and has no listener of it any more', async () => {
    const borrowed = borrow();
    const events = ['ready', 'error', 'close', 'end', 'message'];
    const countListeners = () => events.map((event) => borrowed.listenerCount(event));
    const before = countListeners();
    const client = openClient({ connection: borrowed.redis });
    const semaphore = client.semaphore('api', { limit: 1 });
    await semaphore.acquire();
    watch(semaphore.acquire());
    await until('one waits', async () => (await semaphore.inspect()).waiting === 1);
    await client.close();
    expect(borrowed.isReady()).toBe(true);
    expect(await borrowed.ping()).toBe('PONG');
    expect(countListeners()).toEqual(before);
  });
});

describe('the keys of a semaphore are', () => {
  const stateOf = (prefix: string) => keysOf(prefix, 'api').state;

  it.each([
    ['ioredis', () => six({ db: 2, keyPrefix: 'app:' })],
    ['node-redis', () => nodeRedis({ database: 2, keyPrefix: 'app:' })],
  ] as const)('in the database and under the key prefix of the connection: %s', async (_library, make) => {
    const prefix = uniquePrefix();
    const borrowed = make();
    onTestFinished(() => borrowed.end());
    await openClient({ prefix, connection: borrowed.redis }).semaphore('api', { limit: 1 }).acquire();
    const plain = openRedis();
    await plain.select(2);
    expect(await plain.exists(`app:${stateOf(prefix)}`)).toBe(1);
    expect(await plain.exists(stateOf(prefix))).toBe(0);
  });

  it('in the database that the url names', async () => {
    const prefix = uniquePrefix();
    const url = new URL(redisUrl());
    url.pathname = '/1';
    await openClient({ prefix, connection: url.href }).semaphore('api', { limit: 1 }).acquire();
    const plain = openRedis();
    expect(await plain.exists(stateOf(prefix))).toBe(0);
    await plain.select(1);
    expect(await plain.exists(stateOf(prefix))).toBe(1);
  });

  it('four at most, each with a TTL, whatever happened', async () => {
    const prefix = uniquePrefix();
    const client = openClient({ prefix });
    const semaphore = client.semaphore('api', { limit: 1 });
    const permit = await semaphore.acquire();
    watch(semaphore.acquire());
    await until('one waits', async () => (await semaphore.inspect()).waiting === 1);
    await permit.renew();
    await client.semaphore('other', { limit: 3 }).release();
    const redis = openRedis();
    const keys = await redis.keys(`${prefix}:*`);
    expect(keys.filter((key) => key.includes('{api}')).sort()).toEqual(
      Object.values(keysOf(prefix, 'api')).sort(),
    );
    for (const key of keys) {
      expect([key, await redis.pttl(key)]).toEqual([key, expect.toSatisfy((ms: number) => ms > 0)]);
    }
  });
});

describe('two clients in one process', () => {
  it('over one borrowed connection are two clients: neither can release for the other', async () => {
    const prefix = uniquePrefix();
    const { redis, ping, end } = six({});
    onTestFinished(end);
    const [one, two] = openClients(2, { prefix, connection: redis, presenceMs: 60_000 });
    const held = await one.semaphore('api', { limit: 1 }).acquire();
    const request = watch(two.semaphore('api', { limit: 1 }).acquire());
    await until('it waits', async () => (await one.inspect('api')).waiting === 1);
    expect(await two.semaphore('api', { limit: 1 }).release({ id: held.id ?? '' })).toBe(false);
    await one.close();
    const permit = await until('it is served', () => request.value);
    expect(permit.isHeld).toBe(true);
    expect(await ping()).toBe('PONG');
  });

  it('with different prefixes know nothing of each other', async () => {
    const [one, two] = [openClient(), openClient()];
    await one.semaphore('api', { limit: 1 }).acquire();
    expect((await two.semaphore('api', { limit: 5 }).acquire()).isHeld).toBe(true);
  });
});

it('a client that nothing waits for has one connection, and one that does two', async () => {
  const proxy = await openProxy();
  const client = openClient({ through: proxy });
  const semaphore = client.semaphore('api', { limit: 1 });
  await semaphore.acquire();
  await semaphore.tryAcquire();
  expect(proxy.accepted).toBe(1);
  watch(semaphore.acquire());
  await until('it listens', () => proxy.accepted === 2);
});

it.each([
  ['ioredis 6', (url: string) => asBorrowed(new Redis(url))],
  ['ioredis 5', (url: string) => asBorrowed(new Redis5(url) as unknown as Redis)],
  ['node-redis', (url: string) => nodeRedis({ url })],
] as const)(
  'a borrowed connection on which nothing is heard is left to its owner, who may have commands on it: %s',
  async (_library, make) => {
    const proxy = await openProxy();
    const { redis, ping, end } = make(proxy.url);
    onTestFinished(end);
    const client = openClient({ connection: redis, attemptTimeoutMs: 50, unavailableAfterMs: 500 });
    const semaphore = client.semaphore('api', { limit: 1 });
    await (await semaphore.acquire()).release();
    proxy.hold('replies');
    const owners = watch(ping());
    await expect(semaphore.acquire()).rejects.toThrow('did not answer for 500 ms');
    expect(owners.state).toBe('pending');
    expect(proxy.accepted).toBe(1);
    proxy.resume();
    expect(await until('it is answered', () => owners.value)).toBe('PONG');
    expect((await semaphore.acquire()).isHeld).toBe(true);
    expect(proxy.accepted).toBe(1);
  },
);

it('a pool of node-redis is refused: it has no place for messages', () => {
  const pool = createClientPool({ url: redisUrl() });
  expect(() => openClient({ connection: pool as never })).toThrow(/a client \(not a pool\)/);
});
