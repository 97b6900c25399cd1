import { inspect as print } from 'node:util';
import { describe, expect, it } from 'vitest';
import { keysUnder, openClient, openRedis } from '../support/clients.ts';
import { uniquePrefix } from '../support/redis.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { until, watch } from '../support/until.ts';

refuseStrayErrors();

describe('a snapshot', () => {
  it('says the limit, what is held and free, who holds it for how long, and who waits at which position', async () => {
    const prefix = uniquePrefix();
    const [holder, waiter] = [openClient({ prefix }), openClient({ prefix })];
    const semaphore = holder.semaphore('api', { limit: 5, leaseMs: 20_000 });
    const [long, short] = [
      await semaphore.acquire({ weight: 3 }),
      await semaphore.acquire({ leaseMs: 10_000 }),
    ];
    const queue = waiter.semaphore('api', { limit: 5 });
    for (const [i, weight] of [4, 2].entries()) {
      watch(queue.acquire({ weight }));
      await until('it waits', async () => (await semaphore.inspect()).waiting === i + 1);
    }
    const snapshot = await semaphore.inspect();
    expect(snapshot).toMatchObject({
      name: 'api',
      limit: 5,
      held: 4,
      available: 1,
      holding: 2,
      waiting: 2,
      holders: [
        { id: short.id, client: holder.id, weight: 1 },
        { id: long.id, client: holder.id, weight: 3 },
      ],
      waiters: [
        { client: waiter.id, weight: 4, position: 0 },
        { client: waiter.id, weight: 2, position: 1 },
      ],
    });
    expect(snapshot.holders[0]?.expiresInMs).toBeLessThanOrEqual(10_000);
    expect(snapshot.holders[1]?.expiresInMs).toBeGreaterThan(10_000);
    expect(await waiter.inspect('api')).toMatchObject({ held: 4, waiting: 2 });
  });

  it('of a name that nobody uses is empty, and asking leaves no key', async () => {
    const prefix = uniquePrefix();
    const snapshot = await openClient({ prefix }).inspect('nobody');
    expect(snapshot).toEqual({
      name: 'nobody',
      exists: false,
      limit: 0,
      held: 0,
      available: 0,
      holding: 0,
      waiting: 0,
      oldestWaitMs: 0,
      holders: [],
      waiters: [],
    });
    expect(await keysUnder(openRedis(), prefix)).toEqual([]);
  });

  it('leaves out what has expired, though nobody has cleared it away', async () => {
    const client = openClient();
    const semaphore = client.semaphore('api', { limit: 3, renew: false });
    await semaphore.acquire({ leaseMs: 100, weight: 2 });
    await semaphore.acquire({ leaseMs: 30_000 });
    await until('one is over', async () => (await client.inspect('api')).holding === 1);
    expect(await client.inspect('api')).toMatchObject({ held: 1, available: 2 });
  });

  it('says 0 free, not less, when more is held than the limit after a resize', async () => {
    const semaphore = openClient().semaphore('api', { limit: 3 });
    await semaphore.acquire({ weight: 3 });
    await semaphore.resize(1);
    expect(await semaphore.inspect()).toMatchObject({ limit: 1, held: 3, available: 0 });
  });

  it('comes in pages that together are all holders and the whole line, once and in order', async () => {
    const semaphore = openClient().semaphore('api', { limit: 25 });
    for (let i = 0; i < 60; i++) watch(semaphore.acquire());
    await until('the rest waits', async () => (await semaphore.inspect()).waiting === 35);
    const pages = await Promise.all([0, 1, 2, 3].map((page) => semaphore.inspect({ page, pageSize: 10 })));
    expect(pages.map(({ holders }) => holders.length)).toEqual([10, 10, 5, 0]);
    expect(pages.map(({ waiters }) => waiters.length)).toEqual([10, 10, 10, 5]);
    expect(new Set(pages.flatMap(({ holders }) => holders.map(({ id }) => id))).size).toBe(25);
    const line = pages.flatMap(({ waiters }) => waiters);
    expect(line.map(({ position }) => position)).toEqual(Array.from({ length: 35 }, (_, i) => i));
    const numbers = line.map(({ id }) => Number(id.split('/')[1]));
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    expect(pages.every(({ holding, waiting }) => holding === 25 && waiting === 35)).toBe(true);
  });

  it('says for how long each waiter has waited, and the head of the line on every page', async () => {
    const client = openClient();
    const semaphore = client.semaphore('api', { limit: 1 });
    await semaphore.acquire();
    const began = performance.now();
    watch(semaphore.acquire());
    await until('it waits', async () => (await semaphore.inspect()).oldestWaitMs >= 200);
    watch(semaphore.acquire());
    await until('two wait', async () => (await semaphore.inspect()).waiting === 2);
    const { oldestWaitMs, waiters } = await semaphore.inspect();
    expect(oldestWaitMs).toBe(waiters[0]?.waitingMs);
    expect(oldestWaitMs).toBeLessThanOrEqual(performance.now() - began + 1);
    expect(waiters[1]?.waitingMs).toBeLessThan(oldestWaitMs - 150);
    expect((await semaphore.inspect({ pageSize: 1, page: 1 })).oldestWaitMs).toBeGreaterThanOrEqual(
      oldestWaitMs,
    );
  });

  it('lists a hundred of each unless more is asked for, so a huge line costs little', async () => {
    const semaphore = openClient().semaphore('api', { limit: 1 });
    for (let i = 0; i < 2_001; i++) watch(semaphore.acquire());
    await until('2,000 wait', async () => (await semaphore.inspect()).waiting === 2_000);
    expect((await semaphore.inspect()).waiters).toHaveLength(100);
    expect((await semaphore.inspect({ pageSize: 10_000 })).waiters).toHaveLength(2_000);
  });
});

describe('a semaphore that is printed', () => {
  it('shows its name, limit, how many permits this handle holds and how many of its requests wait', async () => {
    const semaphore = openClient().semaphore('api', { limit: 1 });
    expect(print(semaphore)).toMatch(/^Semaphore\(api, limit 1, 0 held here.*\)$/);
    await semaphore.acquire();
    watch(semaphore.acquire());
    watch(semaphore.acquire());
    await until('two wait', async () => (await semaphore.inspect()).waiting === 2);
    expect(print(semaphore)).toMatch(/^Semaphore\(api, limit 1, 1 held here, 2 waiting here\)$/);
  });
});
