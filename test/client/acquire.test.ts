import { describe, expect, it } from 'vitest';
import { AcquireTimeoutError } from '../../src/index.ts';
import { apiOf, expectFree, openClient, openClients, openRedis, recordsOf } from '../support/clients.ts';
import { uniquePrefix } from '../support/redis.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { rejection, timed, until, watch } from '../support/until.ts';

refuseStrayErrors();

describe('a permit', () => {
  it('tells what was granted: its id, weight, fencing token and for how long', async () => {
    const client = openClient({ label: 'pod-7' });
    const permit = await client.semaphore('api', { limit: 3, leaseMs: 20_000 }).acquire({ weight: 2 });
    expect(permit.id).toMatch(/^pod-7:[\w-]{10}\+?\/1\/2\/\d+!?$/);
    expect(permit.weight).toBe(2);
    expect(Number.isSafeInteger(permit.fencingToken)).toBe(true);
    expect(permit.expiresInMs).toBeGreaterThan(15_000);
    expect(permit.expiresInMs).toBeLessThan(20_000);
    expect(permit.isHeld).toBe(true);
    expect(permit.signal.aborted).toBe(false);
  });

  it('is over once it was released: not held, no time left, and its signal stays quiet', async () => {
    const permit = await openClient().semaphore('api', { limit: 1 }).acquire();
    const { signal } = permit;
    expect(await permit.release()).toBe(true);
    expect(permit.isHeld).toBe(false);
    expect(permit.expiresInMs).toBe(0);
    expect(signal.aborted).toBe(false);
  });

  it('has a higher fencing token than every permit granted before it, whoever got that', async () => {
    const prefix = uniquePrefix();
    const handles = apiOf(openClients(3, { prefix }), { limit: 1 });
    let last = 0;
    for (let round = 0; round < 10; round++) {
      for (const semaphore of handles) {
        const permit = await semaphore.acquire();
        expect(permit.fencingToken).toBeGreaterThan(last);
        last = permit.fencingToken;
        await permit.release();
      }
    }
  });

  it('is released at the end of its scope, also when the scope throws', async () => {
    const client = openClient();
    const semaphore = client.semaphore('api', { limit: 1 });
    const scope = async () => {
      await using permit = await semaphore.acquire();
      throw new Error(`while ${permit.isHeld ? 'held' : 'free'}`);
    };
    await expect(scope()).rejects.toThrow('while held');
    await expectFree(client, 'api', 1);
  });

  it('that was released inside its scope may be: the end of the scope does not fail', async () => {
    const semaphore = openClient().boundedSemaphore('api', { limit: 1 });
    {
      await using permit = await semaphore.acquire();
      await permit.release();
    }
    expect((await semaphore.inspect()).available).toBe(1);
  });
});

describe('acquire', () => {
  it('with timeoutMs 0 grants when a unit is free', async () => {
    const semaphore = openClient().semaphore('api', { limit: 1 });
    expect((await semaphore.acquire({ timeoutMs: 0 })).isHeld).toBe(true);
  });

  it('with timeoutMs 0 rejects at once when none is, and leaves nothing behind', async () => {
    const client = openClient();
    const semaphore = client.semaphore('api', { limit: 1 });
    const permit = await semaphore.acquire();
    const error = await rejection(semaphore.acquire({ timeoutMs: 0 }));
    expect(error).toBeInstanceOf(AcquireTimeoutError);
    expect(error).toMatchObject({ code: 'ACQUIRE_TIMEOUT', semaphore: 'api', timeoutMs: 0 });
    expect((await semaphore.inspect()).waiting).toBe(0);
    await permit.release();
    await expectFree(client, 'api', 1);
  });

  it('rejects when timeoutMs has passed, not before and not much later', async () => {
    const semaphore = openClient().semaphore('api', { limit: 1 });
    await semaphore.acquire();
    const request = semaphore.acquire({ timeoutMs: 200 });
    const tookMs = await timed(request);
    expect(await rejection(request)).toMatchObject({ code: 'ACQUIRE_TIMEOUT', timeoutMs: 200 });
    expect(tookMs).toBeGreaterThanOrEqual(195);
    expect(tookMs).toBeLessThan(1_500);
  });

  it('that timed out leaves no trace in Redis, and the next in line is served in its place', async () => {
    const prefix = uniquePrefix();
    const redis = openRedis();
    const [first, second] = openClients(2, { prefix });
    const held = await first.semaphore('api', { limit: 1 }).acquire();
    const gone = first.semaphore('api', { limit: 1 }).acquire({ timeoutMs: 100 });
    await rejection(gone);
    const next = second.semaphore('api', { limit: 1 }).acquire();
    await until('only the second waits', async () => {
      const { waiters } = await recordsOf(redis, prefix, 'api');
      return waiters.length === 1 && waiters[0]?.startsWith(second.id);
    });
    await held.release();
    expect((await next).isHeld).toBe(true);
    expect((await recordsOf(redis, prefix, 'api')).permits).toEqual([(await next).id]);
  });

  it('keeps its place however long it waits: ten presence times', async () => {
    const prefix = uniquePrefix();
    const [holder, waiter] = [openClient({ prefix }), openClient({ prefix, presenceMs: 200 })];
    const permit = await holder.semaphore('api', { limit: 1 }).acquire();
    const next = waiter.semaphore('api', { limit: 1 }).acquire();
    const [place] = await until('it is in line', async () => {
      const { waiters } = await holder.inspect('api');
      return waiters.length > 0 && waiters;
    });
    const start = performance.now();
    await until('ten presence times are over', async () => {
      expect((await holder.inspect('api')).waiters).toMatchObject([{ id: place?.id, position: 0 }]);
      return performance.now() - start > 2_000;
    });
    await permit.release();
    expect((await next).isHeld).toBe(true);
  });

  it('with limit 0 waits until a resize makes room', async () => {
    const semaphore = openClient().semaphore('api', { limit: 0 });
    const request = watch(semaphore.acquire({ weight: 2 }));
    await until('it is in line', async () => (await semaphore.inspect()).waiting === 1);
    expect(request.state).toBe('pending');
    await semaphore.resize(2);
    await until('it is granted', () => request.state === 'resolved');
  });
});

describe('tryAcquire', () => {
  it('takes a permit when one is free, and resolves null when none is', async () => {
    const semaphore = openClient().semaphore('api', { limit: 1 });
    const permit = await semaphore.tryAcquire();
    expect(permit?.isHeld).toBe(true);
    expect(await semaphore.tryAcquire()).toBeNull();
    await permit?.release();
    expect((await semaphore.tryAcquire())?.isHeld).toBe(true);
  });

  it('never barges: with a unit free but somebody in line for two, it resolves null', async () => {
    const prefix = uniquePrefix();
    const [first, second] = openClients(2, { prefix });
    const semaphore = first.semaphore('api', { limit: 2 });
    await semaphore.acquire();
    const heavy = watch(semaphore.acquire({ weight: 2 }));
    await until('it is in line', async () => (await semaphore.inspect()).waiting === 1);
    expect((await semaphore.inspect()).available).toBe(1);
    expect(await second.semaphore('api', { limit: 2 }).tryAcquire()).toBeNull();
    expect(heavy.state).toBe('pending');
  });

  it('stops nobody behind it when it is refused: a lighter one asked for in the same turn is granted', async () => {
    const semaphore = openClient().semaphore('api', { limit: 3 });
    await semaphore.acquire();
    const [heavy, light] = await Promise.all([semaphore.tryAcquire({ weight: 3 }), semaphore.tryAcquire()]);
    expect(heavy).toBeNull();
    expect(light?.isHeld).toBe(true);
  });
});
