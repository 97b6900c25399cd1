import { describe, expect, it } from 'vitest';
import { keysOf } from '../../src/redis/keys.ts';
import {
  apiOf,
  hashOf,
  openClient,
  openClients,
  openProxy,
  openRedis,
  restorationsOf,
  sendTo,
  untilListening,
} from '../support/clients.ts';
import { uniquePrefix } from '../support/redis.ts';
import { unpackState } from '../support/state.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { until, watch } from '../support/until.ts';

refuseStrayErrors();

/** Loses all that Redis knows of one semaphore, or a part of it. */
async function forget(
  prefix: string,
  name: string,
  ...parts: ('permits' | 'waiters' | 'clients' | 'state')[]
) {
  const keys = keysOf(prefix, name);
  const lost = parts.length > 0 ? parts.map((part) => keys[part]) : Object.values(keys);
  await openRedis().del(...(lost as string[]));
}

describe('data of one semaphore that is lost', () => {
  it.each([
    ['permits'],
    ['waiters'],
    ['state'],
    ['clients'],
    ['permits', 'waiters'],
    ['waiters', 'state'],
  ] as const)('is restored from who knows it, and nothing is granted twice: %s %s', async (...parts) => {
    const prefix = uniquePrefix();
    const [one, two] = openClients(2, { prefix, presenceMs: 450 });
    const [mine, theirs] = apiOf([one, two], { limit: 1 });
    const held = await mine.acquire();
    const requests = [watch(theirs.acquire())];
    await until('it waits', async () => (await mine.inspect()).waiting === 1);
    requests.push(watch(mine.acquire()));
    await until('two wait', async () => (await mine.inspect()).waiting === 2);
    await forget(prefix, 'api', ...parts);
    await until('it is as it was', async () => {
      const { limit, held, waiting } = await mine.inspect();
      return limit === 1 && held === 1 && waiting === 2;
    });
    expect(held.isHeld).toBe(true);
    expect(requests.map(({ state }) => state)).toEqual(['pending', 'pending']);
    expect(await held.release()).toBe(true);
    const first = await until('the first is served', () => requests[0]?.value);
    expect(requests[1]?.state).toBe('pending');
    await first.release();
    await until('the second is served', () => requests[1]?.state === 'resolved');
  });

  it('is restored when it is one permit only: the renewal that finds nothing is no loss', async () => {
    const prefix = uniquePrefix();
    const client = openClient({ prefix });
    const restored = restorationsOf(client);
    const semaphore = client.semaphore('api', { limit: 2 });
    const [one, two] = [await semaphore.acquire(), await semaphore.acquire()];
    await openRedis().zrem(keysOf(prefix, 'api').permits, one.id);
    await one.renew();
    expect([one.isHeld, two.isHeld]).toEqual([true, true]);
    expect(restored).toEqual([{ semaphore: 'api', permits: 2, waiters: 0 }]);
    expect(await semaphore.inspect()).toMatchObject({ held: 2, available: 0 });
  });

  it('is restored when it is one place in line only', async () => {
    const prefix = uniquePrefix();
    const [one, two] = openClients(2, { prefix, presenceMs: 450 });
    const [mine, theirs] = [one.semaphore('api', { limit: 1 }), two.semaphore('api', { limit: 1 })];
    const held = await mine.acquire();
    const first = watch(theirs.acquire());
    await until('one waits', async () => (await mine.inspect()).waiting === 1);
    const second = watch(mine.acquire());
    await until('two wait', async () => (await mine.inspect()).waiting === 2);
    const [place] = (await mine.inspect()).waiters;
    await openRedis().zrem(keysOf(prefix, 'api').waiters, place?.id ?? '');
    await until('it is back', async () => (await mine.inspect()).waiting === 2);
    expect((await mine.inspect()).waiters[0]?.client).toBe(two.id);
    await held.release();
    await until('the first is served', () => first.state === 'resolved');
    expect(second.state).toBe('pending');
  });

  it('gives nobody a unit before all holders could tell: the semaphore is closed for a while', async () => {
    const prefix = uniquePrefix();
    const [quick, quiet, third] = openClients(3, { prefix, presenceMs: 1_500 });
    const [first, second, rival] = apiOf([quick, quiet, third], { limit: 2 });
    const [held, other] = [await first.acquire(), await second.acquire()];
    expect(await rival.tryAcquire()).toBeNull();
    await forget(prefix, 'api');
    await held.renew(); // the first to notice
    expect(await rival.inspect()).toMatchObject({ limit: 2, held: 1 });
    expect(await rival.tryAcquire()).toBeNull();
    const waiter = watch(rival.acquire());
    await until('the quiet one has told, too', async () => (await rival.inspect()).held === 2);
    expect(waiter.state).toBe('pending');
    expect(other.isHeld).toBe(true);
    await held.release();
    await until('the waiter is served', () => waiter.state === 'resolved');
    expect((await rival.inspect()).held).toBe(2);
  });

  it('gives nothing to a client that knew it and asks first: that one restores before it is answered', async () => {
    const prefix = uniquePrefix();
    const [holder, rival] = apiOf(openClients(2, { prefix }), { limit: 1 });
    const held = await holder.acquire();
    expect(await rival.tryAcquire()).toBeNull();
    await forget(prefix, 'api');
    expect(await rival.tryAcquire()).toBeNull();
    await until('the holder has told', async () => (await rival.inspect()).held === 1);
    expect(held.isHeld).toBe(true);
    expect((await rival.inspect()).holders).toMatchObject([{ id: held.id }]);
  });

  it('makes a grant of before, heard while its waiter is being put back, only a reason to look', async () => {
    const prefix = uniquePrefix();
    const proxy = await openProxy();
    const [holder, waiter] = [openClient({ prefix }), openClient({ prefix, through: proxy })];
    await holder.semaphore('api', { limit: 1 }).acquire();
    const request = watch(waiter.semaphore('api', { limit: 1 }).acquire());
    await until('it waits', async () => (await holder.inspect('api')).waiting === 1);
    await untilListening(waiter, prefix);
    const redis = openRedis();
    const epoch = unpackState(await redis.hgetallBuffer(keysOf(prefix, 'api').state))['epoch'] as number;
    const [place] = (await holder.inspect('api')).waiters;
    const own = place?.id.slice(waiter.id.length + 1);
    for (const connection of proxy.connections) {
      if (!connection.beginning.includes('parkade-subscriber')) connection.set('replies', 400);
    }
    const restores = proxy.count(hashOf.restore);
    const restored = restorationsOf(waiter);
    await forget(prefix, 'api');
    await until('it is putting back its waiter', () => restores.count > 0);
    const nowMs = Date.now();
    const old = JSON.stringify(['api', epoch, nowMs * 1_000, 1, [own, nowMs * 1_000, nowMs + 60_000]]);
    await sendTo(redis, { prefix, client: waiter.id, text: old });
    await until('it has put it back', () => restored.length > 0);
    expect(request.state).toBe('pending');
    await until('all is back', async () => (await holder.inspect('api')).held === 1);
    expect((await holder.inspect('api')).waiters).toMatchObject([{ id: place?.id }]);
  });

  it('gives each waiter its own place, whoever restores first', async () => {
    const prefix = uniquePrefix();
    const proxy = await openProxy();
    const presenceMs = 1_500;
    const slow = openClient({ prefix, presenceMs, through: proxy });
    const [holder, quick] = openClients(2, { prefix, presenceMs });
    const held = await holder.semaphore('api', { limit: 1 }).acquire();
    const order: string[] = [];
    const first = slow.semaphore('api', { limit: 1 });
    watch(first.run(() => order.push('first')));
    await until('it waits', async () => (await holder.inspect('api')).waiting === 1);
    watch(quick.semaphore('api', { limit: 1 }).run(() => order.push('second')));
    await until('two wait', async () => (await holder.inspect('api')).waiting === 2);

    proxy.hold('requests');
    await forget(prefix, 'api');
    await until('the second is back in line', async () => (await holder.inspect('api')).waiting === 1);
    proxy.resume();
    await until('so is the first', async () => (await holder.inspect('api')).waiting === 2);
    expect((await holder.inspect('api')).waiters[0]?.client).toBe(slow.id);
    await held.release();
    await until('both are served', () => order.length === 2);
    expect(order).toEqual(['first', 'second']);
  });

  it('does not bring back a permit that has expired: its holder is told', async () => {
    const prefix = uniquePrefix();
    const proxy = await openProxy();
    const client = openClient({ prefix, through: proxy });
    const semaphore = client.semaphore('api', { limit: 1, leaseMs: 600 });
    const permit = await semaphore.acquire();
    proxy.goAway();
    await forget(prefix, 'api');
    await until('it is lost', () => permit.signal.aborted);
    proxy.resume();
    await until('somebody can have it', async () => (await semaphore.tryAcquire())?.isHeld);
    expect(permit.isHeld).toBe(false);
    expect((await semaphore.inspect()).held).toBe(1);
  });

  it('is released all the same when it is lost just before: the release resolves true', async () => {
    const prefix = uniquePrefix();
    const client = openClient({ prefix });
    const semaphore = client.semaphore('api', { limit: 1 });
    const permit = await semaphore.acquire();
    await forget(prefix, 'api');
    expect(await permit.release()).toBe(true);
    await until('it is free', async () => (await semaphore.tryAcquire())?.isHeld);
  });

  it('is restored once only, however many calls meet the loss at once', async () => {
    const prefix = uniquePrefix();
    const proxy = await openProxy();
    const client = openClient({ prefix, through: proxy });
    const restored = restorationsOf(client);
    const semaphore = client.semaphore('api', { limit: 50 });
    const permits = await Promise.all(Array.from({ length: 20 }, () => semaphore.acquire()));
    const restores = proxy.count(hashOf.restore);
    await forget(prefix, 'api');
    await Promise.all([...permits.map((permit) => permit.renew()), semaphore.resize(60)]);
    expect(restored).toEqual([{ semaphore: 'api', permits: 20, waiters: 0 }]);
    expect(restores.count).toBe(1);
    expect(await semaphore.inspect()).toMatchObject({ limit: 60, held: 20 });
  });

  it('in part, with nobody left who knew it, stops no newcomer: what is left of it counts', async () => {
    const prefix = uniquePrefix();
    const proxy = await openProxy();
    const gone = openClient({ prefix });
    await gone.semaphore('api', { limit: 2, leaseMs: 60_000 }).acquire();
    await gone.close({ release: false });
    await forget(prefix, 'api', 'state');
    const newcomer = openClient({ prefix, presenceMs: 450, through: proxy });
    const calls = proxy.count('evalsha');
    const semaphore = newcomer.semaphore('api', { limit: 2 });
    expect((await semaphore.acquire({ timeoutMs: 5_000 })).isHeld).toBe(true);
    expect(await semaphore.tryAcquire()).toBeNull();
    expect(await semaphore.inspect()).toMatchObject({ limit: 2, held: 2, holding: 2 });
    expect(calls.count).toBeLessThan(30);
  });

  it('because nobody used it for retentionMs is no loss, however slow the last reply was', async () => {
    const prefix = uniquePrefix();
    const proxy = await openProxy();
    const client = openClient({ prefix, through: proxy, retentionMs: 1_000, presenceMs: 900 });
    const restored = restorationsOf(client);
    const semaphore = client.semaphore('api', { limit: 1 });
    const before = await semaphore.acquire({ leaseMs: 500 });
    proxy.delay('replies', 300);
    await before.release();
    proxy.resume();
    const redis = openRedis();
    await until('its keys are gone', async () => (await redis.exists(keysOf(prefix, 'api').state)) === 0);
    const after = await semaphore.acquire({ timeoutMs: 0 });
    expect(after.fencingToken).toBeGreaterThan(before.fencingToken);
    expect(restored).toEqual([]);
  });
});
