import { describe, expect, it } from 'vitest';
import { LimitMismatchError } from '../../src/index.ts';
import { expectFree, openClient, openClients } from '../support/clients.ts';
import { uniquePrefix } from '../support/redis.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { rejection, until, watch } from '../support/until.ts';

refuseStrayErrors();

/** Two clients, of which the first has declared limit 3 by using it. */
async function declaredThree() {
  const prefix = uniquePrefix();
  const [first, second] = openClients(2, { prefix });
  const three = first.semaphore('api', { limit: 3 });
  await (await three.acquire()).release();
  return { prefix, first, second, three };
}

describe('another limit than the one that another process declared', () => {
  it('is an error by default, which names both; nothing is taken', async () => {
    const { first, second } = await declaredThree();
    const five = second.semaphore('api', { limit: 5 });
    for (const request of [() => five.acquire(), () => five.tryAcquire()]) {
      const error = await rejection(request());
      expect(error).toBeInstanceOf(LimitMismatchError);
      expect(error).toMatchObject({ code: 'LIMIT_MISMATCH', semaphore: 'api', limit: 5, declaredLimit: 3 });
    }
    await expectFree(first, 'api', 3);
  });

  it('is left aside with adopt: the limit in force holds for this handle too', async () => {
    const { second } = await declaredThree();
    const adopting = second.semaphore('api', { limit: 5, onLimitMismatch: 'adopt' });
    const permits = await Promise.all([1, 2, 3].map(() => adopting.acquire()));
    expect(await adopting.tryAcquire()).toBeNull();
    expect(adopting.limit).toBe(3);
    expect(permits.every((permit) => permit.isHeld)).toBe(true);
  });

  it('becomes the limit for everyone with resize, and the one declared before is now the other', async () => {
    const { prefix, first, second, three } = await declaredThree();
    const five = second.semaphore('api', { limit: 5, onLimitMismatch: 'resize' });
    await five.acquire();
    expect(await first.inspect('api')).toMatchObject({ limit: 5, held: 1 });
    expect(three.limit).toBe(3); // not heard yet
    await three.acquire(); // who was there before goes on
    expect(three.limit).toBe(5);
    const late = openClient({ prefix }).semaphore('api', { limit: 3 });
    expect(await rejection(late.acquire())).toMatchObject({ code: 'LIMIT_MISMATCH', declaredLimit: 5 });
  });

  it('is no mismatch when a resize made it so: the declared limit still is what it was', async () => {
    const { second, three } = await declaredThree();
    await three.resize(1);
    const handle = second.semaphore('api', { limit: 3 });
    expect((await handle.acquire()).isHeld).toBe(true);
    expect(handle.limit).toBe(1);
    expect(await handle.tryAcquire()).toBeNull();
  });

  it('is no mismatch when units were added by releases', async () => {
    const { second, three } = await declaredThree();
    expect(await three.release()).toBe(true);
    const handle = second.semaphore('api', { limit: 3 });
    await handle.acquire({ weight: 4 });
    expect(handle.limit).toBe(4);
  });
});

describe('two handles in one client', () => {
  it('are the same semaphore underneath', async () => {
    const client = openClient();
    const [one, two] = [client.semaphore('api', { limit: 1 }), client.semaphore('api', { limit: 1 })];
    const permit = await one.acquire();
    expect(await two.tryAcquire()).toBeNull();
    await permit.release();
    expect((await two.tryAcquire())?.isHeld).toBe(true);
  });

  it('may have leases of their own', async () => {
    const client = openClient();
    const short = client.semaphore('api', { limit: 2, leaseMs: 5_000 });
    const long = client.semaphore('api', { limit: 2, leaseMs: 50_000 });
    expect((await short.acquire()).expiresInMs).toBeLessThan(5_000);
    expect((await long.acquire()).expiresInMs).toBeGreaterThan(40_000);
  });

  it('with two limits are told apart by Redis: who comes second is refused, or adopts', async () => {
    const client = openClient();
    const first = client.semaphore('api', { limit: 3 });
    const [second, third] = [
      client.semaphore('api', { limit: 5 }),
      client.semaphore('api', { limit: 5, onLimitMismatch: 'adopt' }),
    ];
    const asked = [watch(first.acquire()), watch(second.acquire()), watch(third.acquire({ weight: 3 }))];
    await until('two are answered', () => asked.slice(0, 2).every(({ state }) => state !== 'pending'));
    expect(asked.map(({ state }) => state)).toEqual(['resolved', 'rejected', 'pending']);
    expect(asked[1]?.reason).toMatchObject({ code: 'LIMIT_MISMATCH', limit: 5, declaredLimit: 3 });
    expect(third.limit).toBe(3);
    await first.release();
    await until('who adopts is served', () => asked[2]?.state === 'resolved');
  });

  it('obey their own policies: one that adopts does not make the other one adopt', async () => {
    const { second } = await declaredThree();
    const adopting = second.semaphore('api', { limit: 5, onLimitMismatch: 'adopt' });
    await (await adopting.acquire()).release();
    const strict = () => second.semaphore('api', { limit: 5 }).acquire();
    expect(await rejection((async () => strict())())).toMatchObject({ code: 'LIMIT_MISMATCH' });
  });

  it('resize with the second: its limit holds, also for the first', async () => {
    const { first, second } = await declaredThree();
    const one = second.semaphore('api', { limit: 3 });
    await (await one.acquire()).release();
    const two = second.semaphore('api', { limit: 4, onLimitMismatch: 'resize' });
    await two.acquire({ weight: 4 });
    expect(await first.inspect('api')).toMatchObject({ limit: 4, held: 4 });
  });
});

describe('resize', () => {
  it('to more serves waiters in the same step, in their order, whoever resizes', async () => {
    const { first, second, three } = await declaredThree();
    await Promise.all([1, 2, 3].map(() => three.acquire()));
    const order: number[] = [];
    const waiters = [0, 1, 2].map((i) => watch(three.acquire().then(() => order.push(i))));
    await until('three wait', async () => (await three.inspect()).waiting === 3);
    await second.semaphore('api', { limit: 3 }).resize(5);
    expect(await first.inspect('api')).toMatchObject({ limit: 5, held: 5, waiting: 1 });
    await until('two know', () => order.length === 2);
    expect(order).toEqual([0, 1]);
    expect(waiters[2]?.state).toBe('pending');
  });

  it('to less takes nothing away: holders keep their permits, and nobody is served until it has drained', async () => {
    const { three } = await declaredThree();
    const permits = await Promise.all([1, 2, 3].map(() => three.acquire()));
    await three.resize(1);
    expect(permits.every((permit) => permit.isHeld)).toBe(true);
    expect(await three.inspect()).toMatchObject({ limit: 1, held: 3, available: 0 });
    const waiter = watch(three.acquire());
    await until('it waits', async () => (await three.inspect()).waiting === 1);
    await permits[0]?.release();
    await permits[1]?.release();
    expect(await three.inspect()).toMatchObject({ held: 1, waiting: 1 });
    expect(waiter.state).toBe('pending');
    await permits[2]?.release();
    await until('it is served', () => waiter.state === 'resolved');
  });

  it('to 0 lets nobody in, until it is more again', async () => {
    const { three } = await declaredThree();
    await three.resize(0);
    expect(await three.tryAcquire()).toBeNull();
    const waiter = watch(three.acquire());
    await until('it waits', async () => (await three.inspect()).waiting === 1);
    await three.resize(1);
    await until('it is served', () => waiter.state === 'resolved');
  });
});
