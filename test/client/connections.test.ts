import { Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis-5';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { IoredisLike } from '../../src/index.ts';
import { keysOf } from '../../src/redis/keys.ts';
import { expectFree, openClient, openClients, openProxy, openRedis } from '../support/clients.ts';
import { redisUrl, uniquePrefix } from '../support/redis.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { until, watch } from '../support/until.ts';

refuseStrayErrors();

type Borrowed = IoredisLike & {
  disconnect(): void;
  ping(): Promise<string>;
  listenerCount(event: string): number;
};

/** Both libraries take these options; each knows more in its types than the other. */
const six = (options: object) => new Redis(redisUrl(), options) as Borrowed;
const five = (options: object) => new Redis5(redisUrl(), options) as unknown as Borrowed;

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
];

describe.each(kinds)('a borrowed connection of %s', (_kind, make) => {
  function borrow(): Borrowed {
    const redis = make();
    onTestFinished(() => redis.disconnect());
    return redis;
  }

  it('carries all that a semaphore does', async () => {
    const prefix = uniquePrefix();
    // No beat in the time of this test: the waiter is served by message.
    const options = { limit: 1, leaseMs: 300_000 };
    const [one, two] = [
      openClient({ prefix, connection: borrow(), presenceMs: 60_000 }),
      openClient({ prefix, connection: borrow(), presenceMs: 60_000 }),
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
    const redis = borrow();
    const events = ['ready', 'error', 'close', 'end', 'message'];
    const countListeners = () => events.map((event) => redis.listenerCount(event));
    const before = countListeners();
    const client = openClient({ connection: redis });
    const semaphore = client.semaphore('api', { limit: 1 });
    await semaphore.acquire();
    watch(semaphore.acquire());
    await until('one waits', async () => (await semaphore.inspect()).waiting === 1);
    await client.close();
    expect(redis.status).toBe('ready');
    expect(await redis.ping()).toBe('PONG');
    expect(countListeners()).toEqual(before);
  });
});

describe('the keys of a semaphore are', () => {
  const stateOf = (prefix: string) => keysOf(prefix, 'api').state;

  it('in the database and under the key prefix of the connection', async () => {
    const prefix = uniquePrefix();
    const redis = six({ db: 2, keyPrefix: 'app:' });
    onTestFinished(() => redis.disconnect());
    await openClient({ prefix, connection: redis }).semaphore('api', { limit: 1 }).acquire();
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
    const redis = six({});
    onTestFinished(() => redis.disconnect());
    const [one, two] = openClients(2, { prefix, connection: redis, presenceMs: 60_000 });
    const held = await one.semaphore('api', { limit: 1 }).acquire();
    const request = watch(two.semaphore('api', { limit: 1 }).acquire());
    await until('it waits', async () => (await one.inspect('api')).waiting === 1);
    expect(await two.semaphore('api', { limit: 1 }).release({ id: held.id ?? '' })).toBe(false);
    await one.close();
    const permit = await until('it is served', () => request.value);
    expect(permit.isHeld).toBe(true);
    expect(await redis.ping()).toBe('PONG');
  });

  it('with different prefixes know nothing of each other', async () => {
    const [one, two] = [openClient(), openClient()];
    await one.semaphore('api', { limit: 1 }).acquire();
    expect((await two.semaphore('api', { limit: 5 }).acquire()).isHeld).toBe(true);
  });
});

it('a client that nothing waits for has one connection, and one that does two', async () => {
  const proxy = await openProxy();
  const client = openClient({ connection: proxy.url });
  const semaphore = client.semaphore('api', { limit: 1 });
  await semaphore.acquire();
  await semaphore.tryAcquire();
  expect(proxy.accepted).toBe(1);
  watch(semaphore.acquire());
  await until('it listens', () => proxy.accepted === 2);
});
